"""The bodies that the webhook reads: payments, refunds and disputes in each format."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from openapi.responses import ORDER_ID
from storefront.fields import Id
from storefront.payments.models import ReportedStatus
from storefront.payments.native_refunds import DISPUTE_TYPES, REFUND_TYPES
from storefront.payments.providers import ENVELOPE_TYPES
from storefront.payments.stripe import PAYMENT_TYPES, PROGRESS_TYPES
from storefront.payments.stripe_refunds import DISPUTE_STATUSES, READERS, REFUND_STATUSES


class _Sent(BaseModel):
    """Unknown fields are ignored."""

    model_config = ConfigDict(extra="allow")


_TEXT = {"type": "string", "pattern": "^[!-~]{1,255}$"}
_ORDER_ID_FORMS = "In any case. Braces, missing dashes and spaces around it are accepted."


class _Details(_Sent):
    order_id: Annotated[Any, Field(description=_ORDER_ID_FORMS)] = None
    event_id: Annotated[Any, Field(description="The ID of the event: 1 to 255 characters.")] = None
    amount: Any = None
    currency: Annotated[Any, Field(description="The code of the currency. See `amount`.")] = None
    occurred_at: Annotated[Any, Field(description="The time of the event (RFC 3339, or seconds since 1970).")] = None
    livemode: Annotated[Any, Field(description="`false` if it is test money.")] = None
    account: Annotated[Any, Field(description="The processor's account that received the money.")] = None
    payment_reference: Annotated[Any, Field(description="The processor's ID of the payment.")] = None


class PaymentDetails(_Details):
    """A payment and its order. If another field than `order_id` cannot be read, the event is still accepted."""

    order_id: Annotated[Id, Field(description=_ORDER_ID_FORMS)]
    amount: Annotated[Any, Field(description='Such as `"29.00"`. If it cannot be read, the money needs review.')] = None
    payment_reference: Annotated[
        Any,
        Field(description="The processor's ID of the payment. A payment without one has the ID of its event instead."),
    ] = None


def _named_by(*names: str) -> dict[str, Any]:
    """Return the rule that one of the fields is there. A field with an ID of Storefront is a UUID."""
    ids = ("order_id", "refund_id")
    forms = {name: {"type": "string", "format": "uuid"} if name in ids else _TEXT for name in names}
    return {"anyOf": [{"required": [name], "properties": {name: form}} for name, form in forms.items()]}


class DisputeDetails(_Details):
    """A dispute of a payment. It names the payment or the order. It has no ID: a payment has one such dispute."""

    model_config = ConfigDict(json_schema_extra=_named_by("payment_reference", "order_id"))

    amount: Annotated[
        Any, Field(description="If it is missing or cannot be read, a lost dispute counts as the whole payment.")
    ] = None
    payment_status: Annotated[None, Field(description="Only of a payment.")] = None


class RefundDetails(_Details):
    """A refund of a payment. It names the payment or the order, and it has one of its two IDs."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [_named_by("payment_reference", "order_id"), _named_by("processor_refund_id", "refund_id")]
        }
    )

    amount: Annotated[
        Any,
        Field(
            description='Such as `"10.00"`. If it is missing or cannot be read, a refund that was not requested here '
            "needs review."
        ),
    ] = None
    payment_status: Annotated[None, Field(description="Only of a payment.")] = None
    processor_refund_id: Annotated[Any, Field(description="The processor's ID of the refund.")] = None
    refund_id: Annotated[Any, Field(description="The ID of the refund that the shop requested here.")] = None


class NativePaymentEvent(PaymentDetails):
    """The native format. It is accepted with each kind of signature."""

    payment_status: ReportedStatus


class NativeRefundEvent(RefundDetails):
    """A refund in the native format. It is accepted with each kind of signature."""

    data: Annotated[None, Field(description="Only in Standard Webhooks.")] = None
    type: Annotated[str, Field(json_schema_extra={"enum": list(REFUND_TYPES)})]


class NativeDisputeEvent(DisputeDetails):
    """A dispute in the native format. It is accepted with each kind of signature."""

    data: Annotated[None, Field(description="Only in Standard Webhooks.")] = None
    type: Annotated[str, Field(json_schema_extra={"enum": list(DISPUTE_TYPES)})]


class _Envelope(_Sent):
    timestamp: Annotated[Any, Field(description="The time of the event (RFC 3339).")] = None


class StandardWebhooksEvent(_Envelope):
    """A payment in the format of Standard Webhooks. Other types are acknowledged and ignored."""

    type: Annotated[str, Field(json_schema_extra={"enum": list(ENVELOPE_TYPES)})]
    data: PaymentDetails


class StandardWebhooksRefundEvent(_Envelope):
    """A refund in the format of Standard Webhooks."""

    type: Annotated[str, Field(json_schema_extra={"enum": list(REFUND_TYPES)})]
    data: RefundDetails


class StandardWebhooksDisputeEvent(_Envelope):
    """A dispute in the format of Standard Webhooks."""

    type: Annotated[str, Field(json_schema_extra={"enum": list(DISPUTE_TYPES)})]
    data: DisputeDetails


class _StripeObject(_Sent):
    id: Any = None
    amount: Any = None
    currency: Any = None
    payment_intent: Any = None
    metadata: Annotated[Any, Field(description="`order_id` in it is the ID of the order.")] = None


class StripeObject(_StripeObject):
    """A PaymentIntent, Checkout Session or charge. Amounts are in the minor unit of the currency."""

    amount_received: Any = None
    amount_total: Any = None
    amount_refunded: Annotated[Any, Field(description="Of a charge: the sum of its refunds.")] = None
    payment_status: Literal["paid", "unpaid", "no_payment_required"] | None = None
    client_reference_id: Annotated[
        Any, Field(description="The ID of the order, if `metadata` of a session does not have it.")
    ] = None


_STRIPE_REFUND_TYPES = ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]


class StripeRefund(_StripeObject):
    """A refund. The amount is in the minor unit of the currency."""

    metadata: Annotated[
        Any,
        Field(description="`order_id` in it is the ID of the order. `refund_id` is that of a refund requested here."),
    ] = None
    charge: Annotated[Any, Field(description="The payment, if there is no PaymentIntent.")] = None
    id: Annotated[Any, Field(json_schema_extra={"anyOf": [_TEXT, {"type": "number"}]})]
    status: Annotated[Any, Field(json_schema_extra={"enum": [*REFUND_STATUSES, None]})] = None


class StripeDispute(_StripeObject):
    """A dispute. The amount is in the minor unit of the currency."""

    charge: Annotated[Any, Field(description="The payment, if there is no PaymentIntent.")] = None
    status: Annotated[Any, Field(json_schema_extra={"enum": list(DISPUTE_STATUSES)})]


class StripeData(_Sent):
    object: StripeObject


class StripeRefundData(_Sent):
    object: StripeRefund


class StripeDisputeData(_Sent):
    object: StripeDispute


class _StripeEnvelope(_Sent):
    id: Annotated[Any, Field(description="The ID of the event: 1 to 255 characters.")] = None
    created: Annotated[Any, Field(description="The time of the event.")] = None
    livemode: Annotated[Any, Field(description="`false` if it is test money.")] = None
    account: Annotated[Any, Field(description="The connected account.")] = None


class StripeEvent(_StripeEnvelope):
    """A Stripe event with the order in `metadata.order_id`. Other types are acknowledged and ignored."""

    type: Annotated[str, Field(json_schema_extra={"enum": [*PAYMENT_TYPES, *PROGRESS_TYPES, "charge.refunded"]})]
    data: StripeData


class StripeRefundEvent(_StripeEnvelope):
    """A Stripe event about a refund."""

    type: Annotated[str, Field(json_schema_extra={"enum": _STRIPE_REFUND_TYPES})]
    data: StripeRefundData


class StripeDisputeEvent(_StripeEnvelope):
    """A Stripe event about a dispute."""

    type: Annotated[str, Field(json_schema_extra={"enum": [type_ for type_ in READERS if "dispute" in type_]})]
    data: StripeDisputeData


class PaymentEventBody(
    RootModel[
        NativePaymentEvent
        | NativeRefundEvent
        | NativeDisputeEvent
        | StandardWebhooksEvent
        | StandardWebhooksRefundEvent
        | StandardWebhooksDisputeEvent
        | StripeEvent
        | StripeRefundEvent
        | StripeDisputeEvent
    ]
):
    """An event about a payment, a refund or a dispute, in the format of its signature, or in the native format."""

    EXAMPLES: ClassVar[dict[str, Any]] = {
        "refund": {
            "type": "refund.succeeded",
            "event_id": "evt_0003",
            "payment_reference": "pay_0001",
            "processor_refund_id": "ref_0001",
            "amount": "10.00",
            "currency": "USD",
        },
        "standard-webhooks": {
            "type": "payment.paid",
            "timestamp": "2026-11-23T12:00:00Z",
            "data": {"order_id": ORDER_ID, "amount": "29.00", "currency": "USD"},
        },
        "stripe": {
            "id": "evt_1Example",
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": 1795435200,
            "data": {
                "object": {
                    "id": "pi_1Example",
                    "object": "payment_intent",
                    "amount": 2900,
                    "amount_received": 2900,
                    "currency": "usd",
                    "metadata": {"order_id": ORDER_ID},
                }
            },
        },
    }
