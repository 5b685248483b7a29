"""The models as JSON Schema (2020-12, as OpenAPI 3.1 has it)."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from storefront.orders.models import OrderStatus, PaymentStatus
from storefront.payments.models import Outcome, ReconciliationKind, ReportedStatus
from storefront.payments.signatures import Scheme

Schema = dict[str, Any]

_COMPONENTS = "#/components/schemas/"

# A Literal has no name of its own: without one, a generated client would have a type for each place that has it.
_ENUMS = {
    get_args(OrderStatus): "OrderStatus",
    get_args(PaymentStatus): "PaymentStatus",
    get_args(ReportedStatus): "ReportedStatus",
    get_args(Outcome): "Outcome",
    get_args(ReconciliationKind): "ReconciliationKind",
    get_args(Scheme): "Scheme",
}

_NAMES = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}
# What pydantic adds and nobody reads: a name in other words, and the null that stands for what was not sent.
_TITLE = "title"


def components(requests: Iterable[type[BaseModel]], responses: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """The schemas of models that come in and of models that go out, by name."""
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in requests),
        *((model, "serialization") for model in responses),
    ]
    _, schema = models_json_schema(wanted, ref_template=f"{_COMPONENTS}{{model}}")
    enums = {name: {"type": "string", "enum": list(values)} for values, name in _ENUMS.items()}
    return dict(sorted({**enums, **{name: _tidy(one) for name, one in schema["$defs"].items()}}.items()))


def parameters(model: type[BaseModel]) -> dict[str, Schema]:
    """The schema of each query parameter of a model, by name."""
    properties = model.model_json_schema()["properties"]
    # Generated clients send a default along, and with it no cursor would be taken.
    properties.get("page", {}).pop("default", None)
    return {name: _without_null(_tidy(schema)) for name, schema in properties.items()}


def _tidy(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if name := _ENUMS.get(tuple(schema.get("enum", ()))):
        return {"$ref": f"{_COMPONENTS}{name}"}
    tidy = {_NAMES.get(name, name): _tidy(value) for name, value in schema.items() if not _is_noise(name, value)}
    if "properties" in schema:
        # A field may have the name of a keyword.
        tidy["properties"] = {name: _tidy(value) for name, value in schema["properties"].items()}
    return tidy


def _is_noise(name: str, value: Any) -> bool:
    return name == "properties" or (name == _TITLE and isinstance(value, str)) or (name == "default" and value is None)


def _without_null(schema: Schema) -> Schema:
    # A parameter that was not sent is not null.
    match schema:
        case {"anyOf": [only, {"type": "null"}], **rest}:
            return {**only, **rest}
    return schema
