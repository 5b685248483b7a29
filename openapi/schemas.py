"""pydantic models as JSON Schema 2020-12, for OpenAPI 3.1."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from storefront.orders.models import OrderStatus, PaymentStatus
from storefront.payments.models import DisputeStatus, Outcome, ReportedStatus
from storefront.payments.signatures import Scheme
from storefront.reconciliation.models import ReconciliationKind
from storefront.refunds.models import OrderRefundStatus, RefundStatus

Schema = dict[str, Any]

_COMPONENTS = "#/components/schemas/"

# Names for the Literals. Without a name, a generated client has a separate type for each field.
_ENUMS = {
    get_args(OrderStatus): "OrderStatus",
    get_args(PaymentStatus): "PaymentStatus",
    get_args(ReportedStatus): "ReportedStatus",
    get_args(Outcome): "Outcome",
    get_args(ReconciliationKind): "ReconciliationKind",
    get_args(RefundStatus): "RefundStatus",
    get_args(OrderRefundStatus): "OrderRefundStatus",
    get_args(DisputeStatus): "DisputeStatus",
    get_args(Scheme): "Scheme",
}

_NAMES = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}
_TITLE = "title"


def components(requests: Iterable[type[BaseModel]], responses: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """Return the schemas of request and response models, by name."""
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in requests),
        *((model, "serialization") for model in responses),
    ]
    _, schema = models_json_schema(wanted, ref_template=f"{_COMPONENTS}{{model}}")
    enums = {name: {"type": "string", "enum": list(values)} for values, name in _ENUMS.items()}
    return dict(sorted({**enums, **{name: _tidy(one) for name, one in schema["$defs"].items()}}.items()))


def parameters(model: type[BaseModel]) -> dict[str, Schema]:
    """Return the schema of each query parameter of a model, by name."""
    properties = model.model_json_schema()["properties"]
    # Generated clients send defaults, and a request with both page and cursor is refused.
    properties.get("page", {}).pop("default", None)
    return {name: _without_null(_tidy(schema)) for name, schema in properties.items()}


def _tidy(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if name := _ENUMS.get(tuple(schema.get("enum", ()))):
        reference = {"$ref": f"{_COMPONENTS}{name}"}
        return {**reference, "description": schema["description"]} if "description" in schema else reference
    tidy = {_NAMES.get(name, name): _tidy(value) for name, value in schema.items() if not _is_noise(name, value)}
    if "properties" in schema:
        # A field can have the same name as a keyword of JSON Schema.
        tidy["properties"] = {name: _tidy(value) for name, value in schema["properties"].items()}
    return tidy


def _is_noise(name: str, value: Any) -> bool:
    # pydantic adds a title from the field's name, and null as the default of optional fields.
    return name == "properties" or (name == _TITLE and isinstance(value, str)) or (name == "default" and value is None)


def _without_null(schema: Schema) -> Schema:
    # None means that the parameter was not sent. A query string has no null.
    match schema:
        case {"anyOf": [only, {"type": "null"}], **rest}:
            return {**only, **rest}
    return schema
