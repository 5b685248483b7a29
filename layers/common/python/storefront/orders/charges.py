"""The charges of an order request."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from storefront.fields import RequestModel, SignedMoney, payable
from storefront.texts import Printable

ChargeKind = Literal["shipping", "tax", "discount", "fee"]


def _with_sign_of_kind(amount: Decimal, info: ValidationInfo) -> Decimal:
    match info.data.get("kind"):
        case "discount" if amount > 0:
            raise PydanticCustomError("discount", "Input should be at most 0, because it is a discount")
        case "shipping" | "tax" | "fee" if amount < 0:
            raise PydanticCustomError("charge", "Input should be at least 0, because it is not a discount")
    return amount


def _amount(pattern: str, **bound: float) -> dict[str, Any]:
    return {"properties": {"amount": {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", **bound}]}}}


class Charge(RequestModel):
    """An amount that is added to the line items. A discount is at most 0, any other charge at least 0."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"kind": {"const": "discount"}}},
            "then": _amount(r"^(-|[0.]*$)", maximum=0),
            "else": _amount(r"^([^-]|-[0.]*$)", minimum=0),
        }
    )

    kind: ChargeKind
    label: Annotated[
        str, StringConstraints(max_length=200), Printable, Field(description="What the buyer reads, in one line.")
    ]
    amount: Annotated[
        SignedMoney,
        AfterValidator(payable),
        AfterValidator(_with_sign_of_kind),
        Field(description="In the order's currency, with at most as many decimal places."),
    ]
