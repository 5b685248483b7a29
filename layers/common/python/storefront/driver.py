"""pg8000, imported without what a function has no use for, and every cold start would pay for.

It signs in with a token for its password, and not by SCRAM; it gets its times as text, and none that need dateutil; and
nobody asks pg8000 for its version.
"""

from storefront.imports import in_place_of, later

# Of its version pg8000 makes an attribute, which so becomes its name.
with (
    in_place_of("scramp", {"ScramClient": later("scramp", "ScramClient")}),
    in_place_of("dateutil.parser", {"parse": later("dateutil.parser", "parse"), "ParserError": ValueError}),
    in_place_of("importlib.metadata", {"version": str}),
):
    from pg8000 import core
    from pg8000.converters import string_in
    from pg8000.exceptions import DatabaseError, Error
    from pg8000.native import Connection, identifier, literal

__all__ = ["Connection", "DatabaseError", "Error", "core", "identifier", "literal", "string_in"]
