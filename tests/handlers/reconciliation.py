"""Reads the reconciliation, and what its entries ask for."""

from typing import Any

from tests.api_client import ApiClient
from tests.handlers.inbox import RECONCILIATION

MAKE_IT = "Make it at the processor, if no program of your shop does."
TOO = "Request a refund of the other 10.00 USD, too, or make it at the processor."


def entries(api: ApiClient) -> list[dict[str, Any]]:
    found = api.items(RECONCILIATION)
    keys = [(one["kind"], one["id"]) for one in found]
    assert len(set(keys)) == len(keys), "a kind and an ID name one entry"
    for one in found:
        assert one["message"].endswith(".")
        assert one["action"].endswith(".")
        assert "wait" not in one["action"].lower(), "each entry needs a person"
        if (event := one["payment_event"]) and event["outcome"].startswith("needs_"):
            assert event["action"], "the inbox says what to do, too"
    return found


def kinds(api: ApiClient) -> list[str]:
    return [one["kind"] for one in entries(api)]


def action(api: ApiClient, kind: str) -> str:
    [found] = [one["action"] for one in entries(api) if one["kind"] == kind]
    return str(found)
