"""Whom an order is for: the email and the addresses of an order request."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from storefront.countries import COUNTRIES
from storefront.email_addresses import MAX_ADDRESS, PATTERN, is_email_address
from storefront.fields import RequestModel, Rule
from storefront.texts import OneLine


def _email_address(text: str) -> str:
    if not is_email_address(text):
        raise PydanticCustomError("email_address", "Input should be an e-mail address, such as ada@example.com")
    return text


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError(
            "country", "Input should be the code of a country in capitals (ISO 3166-1 alpha-2), or XK"
        )
    return code


EmailAddress = Annotated[
    str,
    Rule(
        _email_address,
        {
            "maxLength": MAX_ADDRESS,
            "pattern": PATTERN,
            "description": "An e-mail address, stored as sent. In UTF-8, it has at most 254 octets, and at most 64 "
            "before the @.",
        },
    ),
]

AddressLine = Annotated[
    Annotated[str, StringConstraints(max_length=200), OneLine] | None,
    # Forms send an empty text for a field that was not filled in.
    AfterValidator(lambda text: text or None),
]
"""A line of up to 200 characters. None instead of an empty one."""


class Address(RequestModel):
    """A postal address. Only the country is required. An empty text is the same as null."""

    name: AddressLine = None
    company: AddressLine = None
    line1: AddressLine = None
    line2: AddressLine = None
    city: AddressLine = None
    region: AddressLine = None
    postal_code: AddressLine = None
    country: Annotated[
        str,
        Rule(_country, {"enum": sorted(COUNTRIES)}),
        Field(description="ISO 3166-1 alpha-2, or `XK` for Kosovo."),
    ]
    phone: AddressLine = None
