"""Holding what the shop answers against what the model knows of it."""

from collections.abc import Mapping
from typing import Any

from tests.integration.model import Refusal
from tests.shop import Reply


def name_of(reply: Reply) -> str:
    """What was answered: a payment event's outcome, a problem's kind, or else the status."""
    if "idempotent-replayed" in reply.headers:
        return "replayed"
    answer = reply.json if reply.text else {}
    return str(answer.get("outcome") or answer.get("type") or reply.status).removeprefix("/docs#")


def is_refused(reply: Reply, refusal: Refusal | None) -> bool:
    """Whether it had to be; then it was, and for that reason."""
    if refusal is not None:
        assert (reply.status, name_of(reply)) == refusal, reply
    return refusal is not None


def agree(answer: Any, expected: Any) -> None:
    """Hold an answer against what is known of it."""
    assert common(answer, expected) == expected


def common(answer: Any, expected: Any) -> Any:
    """The part of an answer that something is expected of."""
    if isinstance(expected, dict):
        return {name: common(answer[name], value) for name, value in expected.items() if name in answer}
    if isinstance(expected, list):
        return [common(*pair) for pair in zip(answer, expected, strict=True)]
    return answer


def by_content(event: Mapping[str, Any]) -> list[str]:
    """What to sort payment events by."""
    return [str(event[name]) for name in ("event_id", "order_id", "payment_status", "amount", "currency")]


def mismatch(found: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    return found["kind"], (found["order"] or {}).get("id"), (found["payment_event"] or {}).get("event_id")
