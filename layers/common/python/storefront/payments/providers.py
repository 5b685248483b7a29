"""The formats of payment events. Pure functions.

native             {"order_id", "payment_status"}, and optionally event_id, amount, currency and occurred_at

Standard Webhooks  {"type": "payment.paid" | "payment.failed", "data": the fields of the native format}
                   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

Stripe             events about PaymentIntents and Checkout Sessions, with the order in metadata.order_id
                   https://docs.stripe.com/api/events/types

A new provider needs one function that reads a body, and one entry in PROVIDERS. Unknown fields are ignored, because
processors add fields over time.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from storefront.currencies import EXPONENTS
from storefront.fields import Id, Timestamp, WithoutNul, is_uuid
from storefront.payments.models import EventId, PaymentEvent, ReportedStatus
from storefront.payments.signatures import Scheme

ENVELOPE_TYPES: dict[str, ReportedStatus] = {"payment.paid": "paid", "payment.failed": "failed"}

STRIPE_TYPES: dict[str, tuple[ReportedStatus, tuple[str, ...]]] = {
    "payment_intent.succeeded": ("paid", ("amount_received", "amount")),
    "payment_intent.payment_failed": ("failed", ("amount",)),
    "checkout.session.completed": ("paid", ("amount_total",)),
    "checkout.session.async_payment_succeeded": ("paid", ("amount_total",)),
    "checkout.session.async_payment_failed": ("failed", ("amount_total",)),
}
"""The payment status of each type, and the fields that can contain the amount. The first field present counts."""

_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999, which is the last year in Python."""


def _plain_decimal(value: Any) -> Any:
    if isinstance(value, float) and value != round(value, 6):
        # A double has 15 exact decimal digits (IEEE 754). Further digits are rounding errors of the processor.
        return f"{value:.15g}"
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        raise PydanticCustomError("decimal_text", "Input should be a decimal number with at most 6 places")
    return value


def _two_places(amount: Decimal) -> Decimal:
    # The amount is compared exactly, so further places are kept.
    rounded = amount.quantize(Decimal("0.01"))
    return rounded if rounded == amount else amount


def _or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


Amount = Annotated[
    Decimal,
    Field(strict=False, ge=0, max_digits=18, decimal_places=6),
    BeforeValidator(_plain_decimal),
    AfterValidator(_two_places),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"},
                {"type": "number", "minimum": 0, "exclusiveMaximum": 10**12, "multipleOf": 0.000001},
            ]
        }
    ),
]
_MinorUnits = Annotated[int, Field(ge=0, le=10**15)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Za-z]{3,10}$", to_upper=True)]
_Type = Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul]


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, frozen=True)


class _Details(_Sent):
    order_id: Id
    event_id: EventId | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    occurred_at: Timestamp | None = None


class _Native(_Details):
    payment_status: ReportedStatus


class _EnvelopeData(_Details):
    payment_status: ReportedStatus | None = None


class _EnvelopeHead(_Sent):
    type: _Type


class _Envelope(_Sent):
    type: str
    # A malformed timestamp is no reason to lose a payment.
    timestamp: Annotated[Timestamp | None, WrapValidator(_or_none)] = None
    data: _EnvelopeData

    @model_validator(mode="after")
    def _check_status(self) -> Self:
        if self.data.payment_status not in (None, ENVELOPE_TYPES[self.type]):
            raise PydanticCustomError("contradiction", "type and data.payment_status should say the same")
        return self


class _StripeHead(_Sent):
    id: EventId
    type: _Type
    created: Annotated[int, Field(ge=0, le=_LAST_SECOND)] | None = None


class StripeMetadata(_Sent):
    # Other systems of the shop can use the same field, so any value is accepted here.
    order_id: Annotated[Any, Field(description="The ID of the order.")] = None


_NULL: JsonDict = {"type": "null"}


class StripeObject(_Sent):
    """A PaymentIntent or a Checkout Session. An amount requires a currency."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"currency": _NULL}},
            "then": {"properties": {"amount": _NULL, "amount_received": _NULL, "amount_total": _NULL}},
        }
    )

    amount: _MinorUnits | None = None
    amount_received: _MinorUnits | None = None
    amount_total: _MinorUnits | None = None
    currency: Currency | None = None
    payment_status: str | None = None
    metadata: StripeMetadata | None = None

    @model_validator(mode="after")
    def _check_currency(self) -> Self:
        # The number of decimal places depends on the currency.
        if self.currency is None and {self.amount, self.amount_received, self.amount_total} != {None}:
            raise PydanticCustomError("amount_alone", "An amount should have a currency")
        return self

    def order_id(self) -> str | None:
        order_id = self.metadata.order_id if self.metadata else None
        return order_id.lower() if isinstance(order_id, str) and is_uuid(order_id) else None

    def amount_of(self, fields: tuple[str, ...]) -> Decimal | None:
        units: int | None = next((value for field in fields if (value := getattr(self, field)) is not None), None)
        if units is None or self.currency is None:
            return None
        return _two_places(Decimal(units).scaleb(-EXPONENTS.get(self.currency, 2)))

    def is_settled(self, amount: Decimal | None) -> bool:
        # A Checkout Session is complete before a bank transfer arrives. no_payment_required has the amount 0 for a free
        # order, and no amount if the session only stored a card.
        return self.payment_status in (None, "paid") or (
            self.payment_status == "no_payment_required" and amount is not None
        )


class StripeData(_Sent):
    object: StripeObject


class _StripeEvent(_Sent):
    data: StripeData


def native(body: bytes) -> PaymentEvent:
    return PaymentEvent("storefront", **_Native.model_validate_json(body).model_dump())


def standard_webhooks(body: bytes) -> PaymentEvent:
    type_ = _EnvelopeHead.model_validate_json(body).type
    if type_ not in ENVELOPE_TYPES:
        return PaymentEvent("standard_webhooks", type_, reason="type_not_ours")
    envelope = _Envelope.model_validate_json(body)
    event = PaymentEvent("standard_webhooks", type_, **envelope.data.model_dump())
    return event._replace(payment_status=ENVELOPE_TYPES[type_], occurred_at=event.occurred_at or envelope.timestamp)


def stripe(body: bytes) -> PaymentEvent:
    head = _StripeHead.model_validate_json(body)
    created = None if head.created is None else datetime.fromtimestamp(head.created, UTC)
    event = PaymentEvent("stripe", head.type, head.id, occurred_at=created)
    if head.type not in STRIPE_TYPES:
        return event._replace(reason="type_not_ours")
    status, amount_fields = STRIPE_TYPES[head.type]
    payment = _StripeEvent.model_validate_json(body).data.object
    event = event._replace(order_id=payment.order_id())
    if event.order_id is None:
        return event._replace(reason="no_order_named")
    amount = payment.amount_of(amount_fields)
    if status == "paid" and not payment.is_settled(amount):
        return event._replace(reason="not_paid")
    return event._replace(payment_status=status, amount=amount, currency=payment.currency)


PROVIDERS: dict[Scheme, Callable[[bytes], PaymentEvent]] = {
    "x_signature": native,
    "standard_webhooks": standard_webhooks,
    "stripe": stripe,
}
"""The format for each kind of signature. The native format is accepted with all of them."""


def _status_of(type_: Any) -> ReportedStatus | None:
    if not isinstance(type_, str):
        return None
    return STRIPE_TYPES[type_][0] if type_ in STRIPE_TYPES else ENVELOPE_TYPES.get(type_)


class _Shape(_Sent):
    order_id: Any = None
    payment_status: Any = None
    type: Any = None
    data: Any = None

    @model_validator(mode="after")
    def _check_status(self) -> Self:
        # Choosing one of the two would be a guess, in every format.
        if (self.payment_status, _status_of(self.type)) in (("paid", "failed"), ("failed", "paid")):
            raise PydanticCustomError("contradiction", "type and payment_status should say the same")
        return self

    def is_native(self) -> bool:
        # The other formats have type and data, and can have further fields, even order_id.
        is_other = self.type is not None and self.data is not None
        return self.order_id is not None and self.payment_status is not None and not is_other


def payment_event(scheme: Scheme, body: bytes) -> PaymentEvent:
    """Return the event in a body. Raises pydantic's ValidationError if the event is malformed."""
    is_native = _Shape.model_validate_json(body).is_native()
    return (native if is_native else PROVIDERS[scheme])(body)
