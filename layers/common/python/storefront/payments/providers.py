"""What each payment processor's events mean. Pure, no I/O.

The shop's own format  {"order_id", "payment_status"}, and event_id, amount, currency, occurred_at where they are known
Standard Webhooks      {"type": "payment.paid" | "payment.failed", "data": the fields of the shop's own format}
                       https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
Stripe                 its events about PaymentIntents and Checkout Sessions, the order in metadata.order_id
                       https://docs.stripe.com/api/events/types

A new provider is one function, which reads a body, and one entry in PROVIDERS. Processors add fields as they grow;
what is not known is let through.
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

from storefront.fields import Id, Timestamp, WithoutNul, is_uuid
from storefront.payments.models import EventId, PaymentEvent, ReportedStatus
from storefront.payments.signatures import Scheme

EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),  # noqa: SIM905  20 lines
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),  # noqa: SIM905  likewise
}
"""Decimal places of the amounts that Stripe sends, where they are not 2. https://docs.stripe.com/currencies"""

ENVELOPE_TYPES: dict[str, ReportedStatus] = {"payment.paid": "paid", "payment.failed": "failed"}

STRIPE_TYPES: dict[str, tuple[ReportedStatus, tuple[str, ...]]] = {
    "payment_intent.succeeded": ("paid", ("amount_received", "amount")),
    "payment_intent.payment_failed": ("failed", ("amount",)),
    "checkout.session.completed": ("paid", ("amount_total",)),
    "checkout.session.async_payment_succeeded": ("paid", ("amount_total",)),
    "checkout.session.async_payment_failed": ("failed", ("amount_total",)),
}
"""What they say of the payment, and which of the object's fields has its amount: the first that is there."""

_LAST_SECOND = 253_402_300_799
"""Of the year 9999, Python's last."""


def _plain_decimal(value: Any) -> Any:
    if isinstance(value, float) and value != round(value, 6):
        # A double holds 15 digits of a decimal number (IEEE 754). Behind them is what a processor added in doubles.
        return f"{value:.15g}"
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        raise PydanticCustomError("decimal_text", "Input should be a decimal number with at most 6 places")
    return value


def _two_places(amount: Decimal) -> Decimal:
    # More where it has more: it is compared, and so not rounded.
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


class _OwnFormat(_Details):
    payment_status: ReportedStatus


class _EnvelopeData(_Details):
    payment_status: ReportedStatus | None = None


class _EnvelopeHead(_Sent):
    type: _Type


class _Envelope(_Sent):
    type: str
    # No reason to lose a payment, however it is written.
    timestamp: Annotated[Timestamp | None, WrapValidator(_or_none)] = None
    data: _EnvelopeData

    @model_validator(mode="after")
    def _of_one_mind(self) -> Self:
        if self.data.payment_status not in (None, ENVELOPE_TYPES[self.type]):
            raise PydanticCustomError("contradiction", "Its type and its data's payment_status should say the same")
        return self


class _StripeHead(_Sent):
    id: EventId
    type: _Type
    created: Annotated[int, Field(ge=0, le=_LAST_SECOND)] | None = None


class StripeMetadata(_Sent):
    # The shop's own, and its other systems': what is no id of ours is none of our business.
    order_id: Annotated[Any, Field(description="The id of the order.")] = None


_NULL: JsonDict = {"type": "null"}


class StripeObject(_Sent):
    """A PaymentIntent or a Checkout Session. An amount comes with its currency."""

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
    def _amounts_of_a_currency(self) -> Self:
        # Without one, nobody knows how many of them make the main unit: it could not be compared.
        if self.currency is None and {self.amount, self.amount_received, self.amount_total} != {None}:
            raise PydanticCustomError("amount_alone", "An amount should have its currency")
        return self

    def order_id(self) -> str | None:
        named = self.metadata.order_id if self.metadata else None
        return named.lower() if isinstance(named, str) and is_uuid(named) else None

    def amount_of(self, fields: tuple[str, ...]) -> Decimal | None:
        units: int | None = next((found for field in fields if (found := getattr(self, field)) is not None), None)
        if units is None or self.currency is None:
            return None
        return _two_places(Decimal(units).scaleb(-EXPONENTS.get(self.currency, 2)))

    def is_settled(self, amount: Decimal | None) -> bool:
        # A session is completed before a bank transfer arrives. With nothing to be paid its amount is 0, and compared
        # as the others are; one without an amount has only kept a card for later.
        return self.payment_status in (None, "paid") or (
            self.payment_status == "no_payment_required" and amount is not None
        )


class StripeData(_Sent):
    object: StripeObject


class _StripeEvent(_Sent):
    data: StripeData


def own_format(body: bytes) -> PaymentEvent:
    return PaymentEvent("storefront", **_OwnFormat.model_validate_json(body).model_dump())


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
    "x_signature": own_format,
    "standard_webhooks": standard_webhooks,
    "stripe": stripe,
}
"""Who signs in which scheme. The shop's own format is read in any of them."""


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
    def _of_one_mind(self) -> Self:
        # Which of the two to believe would be a guess, whichever format it is read in.
        if (self.payment_status, _status_of(self.type)) in (("paid", "failed"), ("failed", "paid")):
            raise PydanticCustomError("contradiction", "Its type and its payment_status should say the same")
        return self

    def is_own_format(self) -> bool:
        # The others have a type and data, and around them whatever their processor likes, an order's id as well.
        is_other = self.type is not None and self.data is not None
        return self.order_id is not None and self.payment_status is not None and not is_other


def payment_event(scheme: Scheme, body: bytes) -> PaymentEvent:
    """What an event says. Raises pydantic's ValidationError where it is not well-formed."""
    is_own = _Shape.model_validate_json(body).is_own_format()
    return (own_format if is_own else PROVIDERS[scheme])(body)
