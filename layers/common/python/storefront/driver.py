"""pg8000, imported without what it signs in with where a server asks for SCRAM.

To a function, which has a token for its password, that is nothing; a cold start would pay for it.
"""

from storefront.imports import called_later, in_place_of

with in_place_of("scramp", called_later("scramp", "ScramClient")):
    from pg8000 import core
    from pg8000.converters import string_in
    from pg8000.exceptions import DatabaseError, Error
    from pg8000.native import Connection, identifier, literal

__all__ = ["Connection", "DatabaseError", "Error", "core", "identifier", "literal", "string_in"]
