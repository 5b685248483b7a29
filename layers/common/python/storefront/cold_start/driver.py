"""pg8000, imported without what a function has no use for, and every cold start would pay for.

It signs in with a token for its password, and not by SCRAM; it gets its times as text, and none that need dateutil; and
nobody asks pg8000 for its version.
"""

from storefront.cold_start.modules import import_on_first_use, replace_module

# Of its version pg8000 makes an attribute, which so becomes its name.
with (
    replace_module("scramp", {"ScramClient": import_on_first_use("scramp", "ScramClient")}),
    replace_module(
        "dateutil.parser", {"parse": import_on_first_use("dateutil.parser", "parse"), "ParserError": ValueError}
    ),
    replace_module("importlib.metadata", {"version": str}),
):
    from pg8000 import core
    from pg8000.converters import string_in
    from pg8000.exceptions import DatabaseError, Error
    from pg8000.native import Connection, identifier, literal

__all__ = ["Connection", "DatabaseError", "Error", "core", "identifier", "literal", "string_in"]
