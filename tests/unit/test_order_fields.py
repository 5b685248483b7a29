"""The fields of an order request accept what their JSON Schemas describe."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from storefront.email_addresses import MAX_ADDRESS
from storefront.orders.charges import Charge
from storefront.orders.contact import Address, EmailAddress
from tests.unit import test_email_addresses

pytestmark = pytest.mark.usefixtures("environment")

KINDS = ("shipping", "tax", "discount", "fee", "tip", None)
AMOUNTS = ("0", "-0", "0.00", "-0.00", "1", "-1", "0.01", "-0.01", "99999999.99", "-99999999.99", "100000000", "-", "")
NUMBERS = (0, -0.0, 1, -1, 0.01, -0.01, 99999999.99, -99999999.99, 100000000)


def accepts(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def expect_agreement(model: Any, value: object) -> bool:
    """Whether the value is accepted. The model and its schema must agree."""
    adapter = TypeAdapter(model)
    described: bool = Draft202012Validator(adapter.json_schema()).is_valid(value)
    assert accepts(adapter, value) == described, value
    return described


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_a_charge_has_the_sign_of_its_kind(kind: str | None) -> None:
    accepted = [
        amount
        for amount in (*AMOUNTS, *NUMBERS, None, True)
        if expect_agreement(Charge, {"kind": kind, "label": "Charge", "amount": amount})
    ]
    some = {"discount": "-1", "tip": None, None: None}.get(kind, "1")
    assert ("0" in accepted, some in accepted) == ((some is not None,) * 2)


@pytest.mark.parametrize("label", ["", " ", "a", "a" * 200, "a" * 201, "a\nb", "\0", "\u200b", "👍", 1, None])
def test_the_schema_of_a_charge_describes_its_label(label: object) -> None:
    expect_agreement(Charge, {"kind": "fee", "label": label, "amount": "1"})


@pytest.mark.parametrize("text", ["", " ", "a", "a" * 200, "a" * 201, "a\nb", "\0", "\u2028", "漢" * 200, 1, None])
def test_the_schema_of_an_address_describes_its_lines(text: object) -> None:
    for name in set(Address.model_fields) - {"country"}:
        expect_agreement(Address, {"country": "DE", name: text})


@pytest.mark.parametrize("country", ["DE", "XK", "de", "AN", "", "DEU", None, 1])
def test_the_schema_of_an_address_describes_its_country(country: object) -> None:
    assert expect_agreement(Address, {"country": country}) == (country in ("DE", "XK"))


@pytest.mark.parametrize("address", [*test_email_addresses.ACCEPTED, *test_email_addresses.REFUSED])
def test_the_schema_of_an_email_describes_all_but_its_octets(address: str) -> None:
    adapter = TypeAdapter(EmailAddress)
    described = Draft202012Validator(adapter.json_schema()).is_valid(address)
    local_part, _, domain = address.rpartition("@")
    is_long = len(local_part.encode()) > 64 or max(len(label.encode()) for label in domain.split(".")) > 63
    # Python's $ also matches before a line break at the end.
    if not is_long and len(address.encode()) <= MAX_ADDRESS and not address.endswith("\n"):
        assert accepts(adapter, address) == described
