"""The types that models share."""

from collections.abc import Iterator

from pydantic import BaseModel, BeforeValidator

import openapi.operations  # noqa: F401  imports every model
from storefront.fields import RequestModel, WithoutNul


def test_a_rule_is_hashable() -> None:
    # Python 3.11 compares the members of a union with None by their hash.
    assert {WithoutNul: 1}[WithoutNul] == 1


def test_every_integer_of_a_request_accepts_a_fraction_of_zero_or_is_text() -> None:
    integers = [
        (model.__name__, name, any(isinstance(rule, BeforeValidator) for rule in field.metadata))
        for model in models(RequestModel)
        for name, field in model.model_fields.items()
        if field.annotation is int
    ]
    assert len(integers) > 5
    assert [one for one in integers if not one[2]] == []


def models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)
