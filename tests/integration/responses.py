"""Compares the shop's responses with the model."""

from collections.abc import Mapping
from typing import Any

from tests.api_client import Response
from tests.integration.entities import Refusal


def name_of(response: Response) -> str:
    """The outcome of a payment event, the kind of a problem, or else the status."""
    if "idempotent-replayed" in response.headers:
        return "replayed"
    body = response.json if response.text else {}
    return str(body.get("outcome") or body.get("type") or response.status).removeprefix("/docs#")


def expect_refusal(response: Response, refusal: Refusal | None) -> bool:
    """Whether a refusal is expected. If so, assert that the response is this refusal."""
    if refusal is not None:
        assert (response.status, name_of(response)) == refusal, response
    return refusal is not None


def assert_matches(response: Any, expected: Any) -> None:
    """Assert that a response has the expected fields."""
    assert expected_part(response, expected) == expected


def expected_part(response: Any, expected: Any) -> Any:
    """The part of a response that has an expected value."""
    if isinstance(expected, dict):
        return {name: expected_part(response[name], value) for name, value in expected.items() if name in response}
    if isinstance(expected, list):
        return [expected_part(*pair) for pair in zip(response, expected, strict=True)]
    return response


def sort_key(event: Mapping[str, Any]) -> list[str]:
    """The sort key of a payment event."""
    return [str(event[name]) for name in ("event_id", "order_id", "payment_status", "amount", "currency", "reason")]


def reconciliation_entry(found: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    return found["kind"], (found["order"] or {}).get("id"), (found["payment_event"] or {}).get("event_id")
