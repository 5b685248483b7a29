"""pg8000 without the modules that no function uses.

Functions sign in with a token instead of SCRAM. They read timestamps as text, so nothing needs dateutil. pg8000 reads
its own version with importlib.metadata, and nothing uses the version.
"""

from storefront.cold_start.modules import import_on_first_use, replace_module

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
