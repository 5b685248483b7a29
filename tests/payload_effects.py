"""What a payment event can do: the response, the order, and the entries of the inbox and the reconciliation."""

from typing import Any, NamedTuple


class Effect(NamedTuple):
    """What an event does. shown: fields of its inbox entry. kind: of its reconciliation entry."""

    outcome: str
    reason: str | None = None
    kind: str | None = None
    status: int = 200
    payment_status: str = "unpaid"
    is_held: bool = False
    shown: dict[str, Any] = {"order_id": "{order}"}  # noqa: RUF012  never changed

    def showing(self, **fields: Any) -> "Effect":
        return self._replace(shown={**self.shown, **fields})


MONEY = {"amount": "19.90", "currency": "USD"}
UNKNOWN_ORDER_ID = "00000000-0000-4000-8000-000000000000"

PAID = Effect("applied", payment_status="paid").showing(payment_status="paid", account=None, **MONEY)
FAILED = Effect("applied", payment_status="failed").showing(payment_status="failed")
OTHER_MODE = Effect("ignored", "other_mode").showing(livemode=False, **MONEY)
OTHER_ACCOUNT = Effect("ignored", "other_account")
NOT_OURS = Effect("ignored", "type_not_ours").showing(order_id=None, payment_status=None)
NOT_OURS_OF_THE_ORDER = NOT_OURS.showing(order_id="{order}")
NOT_PAID = Effect("ignored", "not_paid")
IN_PROGRESS = Effect("ignored", "payment_under_way", is_held=True).showing(payment_status=None)
ENDED = Effect("ignored", "payment_ended").showing(payment_status=None)
NO_ORDER_AND_NO_MONEY = Effect("ignored", "no_order_named").showing(order_id=None, payment_status=None)
MONEY_WITHOUT_ORDER = Effect("ignored", "no_order_named", "event_without_order").showing(order_id=None, **MONEY)
UNKNOWN_ORDER = Effect("unknown_order", "unknown_order", "event_without_order", 404).showing(order_id=UNKNOWN_ORDER_ID)
OTHER_AMOUNT = Effect("needs_review", "amount_differs", "amount_mismatch", is_held=True)
OTHER_CURRENCY = OTHER_AMOUNT._replace(reason="currency_differs")
AMOUNT_UNREADABLE = OTHER_AMOUNT._replace(reason="amount_unreadable").showing(amount=None)
CURRENCY_UNREADABLE = OTHER_AMOUNT._replace(reason="amount_unreadable").showing(currency=None)
NOT_JSON = Effect("unreadable", "not_json", "unreadable_event", 400).showing(order_id=None, event_id="{hash}")
NOT_DECLARED_AS_JSON = Effect("unreadable", "media_type", "unreadable_event", 415)
INVALID = Effect("unreadable", "invalid", "unreadable_event", 422)
NO_READABLE_ORDER = INVALID.showing(order_id=None, **MONEY)
NO_OBJECT = INVALID.showing(order_id=None, event_id="{hash}")
