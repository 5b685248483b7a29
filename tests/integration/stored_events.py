"""What the tests of stored payment events share."""

import json
from typing import Any

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.races import Call, report

NOTHING = report("evt_1", type="customer.created", reason="type_not_ours")
"""An event that reports nothing."""

TEST_MODE: dict[str, Any] = {"livemode": False, "payment_mode": "live"}
OTHER_ACCOUNT: dict[str, Any] = {"account": "acct_2", "payment_accounts": ["acct_1"]}


def run(database: Connection, *calls: Call) -> list[str]:
    """Run calls one after the other. Return their outcomes."""
    return [call.run(database) for call in calls]


def response(database: Connection, call: Call) -> dict[str, Any]:
    """Run a call. Return the body of its response."""
    [[body]] = database.run(f"SELECT body FROM {call.function}(:request)", request=json.dumps(call.request))
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def inbox(database: Connection) -> list[list[Any]]:
    """Each stored event: its variant, outcome, reason and attempts."""
    columns = "variant, outcome::text, reason, attempts"
    return database.run(f"SELECT {columns} FROM payment_events ORDER BY event_id, variant") or []


def inbox_id(database: Connection, variant: int = 0) -> str:
    """The inbox ID of a content of the only event."""
    [[id_]] = database.run("SELECT id::text FROM payment_events WHERE variant = :variant", variant=variant)
    return str(id_)


def kinds(api: ApiClient) -> list[str]:
    """The kind of each reconciliation entry."""
    return [entry["kind"] for entry in api.items("/api/reconciliation")]
