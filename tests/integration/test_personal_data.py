"""Which columns are personal data, and that an erasure leaves none of it in any table."""

import json
import re
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from storefront.migrate import migrate
from tests.api_client import ROOT, ApiClient, expect
from tests.handlers.inbox import RECONCILIATION
from tests.handlers.personal_data import add_note, erase, stripe_pair

GUIDE = ROOT / "docs" / "guides" / "personal-data.md"

PERSONAL = {
    "orders": {"email", "shipping_address", "billing_address", "note", "metadata"},
    "order_events": {"note"},
    "idempotency_keys": {"body"},
    "payment_events": {"body"},
    "refunds": {"reason"},
    "acknowledgements": {"note"},
}
"""The columns that an erasure blanks."""

IDENTIFIERS = {
    "orders": {"id", "customer_id", "number", "reference"},
    "order_items": {"id", "order_id", "product_id"},
    "order_events": {
        *("id", "order_id", "actor", "request_id", "idempotency_key", "payment_event_id", "inbox_id", "refund_id"),
    },
    "payment_events": {
        *("id", "event_id", "order_id", "account", "payment_reference", "object_reference", "refund_id"),
    },
    "payments": {"id", "order_id", "reference"},
    "refunds": {"id", "order_id", "payment_id", "processor_reference", "actor"},
    "refund_lines": {"refund_id", "order_item_id"},
    "disputes": {"id", "order_id", "payment_id", "reference"},
    "acknowledgements": {"entry_id", "order_id", "actor", "idempotency_key"},
    "idempotency_keys": {"caller", "key", "fingerprint"},
    "stock_movements": {"id", "product_id", "order_id", "refund_id", "actor", "request_id"},
    "products": {"id", "sku"},
    "schema_history": {"name"},
}
"""The columns that stay, although they can lead to a person with the help of another system."""

TEXTS_OF_THE_SHOP = {
    "orders": {"charges"},
    "order_items": {"product_name", "sku"},
    "products": {"name", "description", "folded_name", "name_words", "metadata"},
    "stock_movements": {"reason"},
}
"""The columns with texts of the shop, which must not name a customer."""

FACTS = {
    "orders": {
        *("status", "payment_status", "total_price", "created_at", "updated_at", "held_since", "currency"),
        *("expires_at", "personal_data_erased_at", "paid_amount", "refunded_amount", "lost_amount", "refund_status"),
        *("money_changes",),
    },
    "order_items": {"line_number", "quantity", "price_at_purchase"},
    "order_events": {
        *("cause", "from_status", "from_payment_status", "to_status", "to_payment_status", "received_payment_status"),
        *("outcome", "reason", "occurred_at", "party", "refund_status"),
    },
    "payment_events": {
        *("scheme", "provider", "variant", "type", "payment_status", "amount", "currency", "occurred_at", "outcome"),
        *("reason", "attempts", "received_at", "last_attempt_at", "livemode", "error", "body_is_base64"),
        *("reader_reason", "is_named", "refund_status", "dispute_status", "body_is_cut"),
    },
    "payments": {
        *("event_scheme", "amount", "currency", "reason", "open_amount", "refunded_amount", "lost_amount"),
        *("known_refunds", "reported_refunds", "is_settled", "received_at"),
    },
    "refunds": {"amount", "currency", "status", "is_settled", "requested_at", "updated_at"},
    "refund_lines": {"quantity", "restock"},
    "disputes": {"status", "amount", "currency", "opened_at", "changed_at"},
    "acknowledgements": {"kind", "money_changes", "acknowledged_at"},
    "ignored_events": {"day", "received"},
    "idempotency_keys": {"operation", "created_at"},
    "stock_movements": {"kind", "delta", "occurred_at", "quantity"},
    "products": {"price", "quantity", "quantity_bucket", "created_at", "updated_at", "deleted_at"},
    "schema_history": {"checksum", "applied_at"},
    "payment_completion": {"received_at", "id"},
}
"""All other columns. They say nothing about a person."""

KINDS = (PERSONAL, IDENTIFIERS, TEXTS_OF_THE_SHOP, FACTS)

CANARY = "canary"


def columns(database: Connection) -> set[tuple[str, str]]:
    rows = database.run(
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return {(table, column) for table, column in rows or []}


def pairs(kind: dict[str, set[str]]) -> list[tuple[str, str]]:
    return [(table, column) for table, names in kind.items() for column in names]


def test_each_column_says_whether_it_is_personal(database: Connection) -> None:
    stated = [pair for kind in KINDS for pair in pairs(kind)]
    assert columns(database) - set(stated) == set(), "state in this file and in the guide what these columns contain"
    assert set(stated) - columns(database) == set(), "these columns do not exist"
    assert len(stated) == len(set(stated)), "a column has two kinds"


def test_the_guide_lists_the_personal_columns() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.*?) \|", GUIDE.read_text(), re.MULTILINE)
    assert {table: set(re.findall(r"`(\w+)`", names)) for table, names in listed} == PERSONAL


def dump(database: Connection) -> dict[str, str]:
    """The text of each table."""
    texts = {}
    for table in {table for table, _ in columns(database)}:
        rows = database.run(f"SELECT t::text FROM {table} t") or []
        texts[table] = "\n".join(text for [text] in rows)
    return texts


def fill(api: ApiClient, customer_id: int) -> dict[str, Any]:
    """Put a canary into each personal column of a customer."""
    tea = api.create_product(quantity=10)["id"]
    address = {
        **dict.fromkeys(("name", "company", "line1", "line2", "city", "region", "postal_code", "phone"), CANARY),
        "country": "DE",
    }
    body = {
        "customer_id": customer_id,
        "products": [{"product_id": tea, "quantity": 1}],
        "email": f"{CANARY}@example.com",
        "shipping_address": address,
        "billing_address": address,
        "note": CANARY,
        "metadata": {"gift": CANARY},
    }
    key = {"idempotency-key": f"key-{customer_id}"}
    order: dict[str, Any] = expect(201, api.call("POST", "/api/orders", body, key))
    expect(201, add_note(api, order["id"], CANARY, **key))
    expect(201, add_note(api, order["id"], CANARY))
    for event in stripe_pair(order):
        event["id"] += str(customer_id)
        event["data"]["object"]["payment_intent" if "session" in event["id"] else "id"] = f"pi_{customer_id}"
        event["data"]["object"]["billing_details"] = {"name": CANARY, "email": CANARY}
        expect(200, api.deliver(event, "stripe"))
    late = {"order_id": order["id"], "payment_status": "PAID", "name": CANARY, "event_id": f"evt_{customer_id}"}
    assert api.deliver(late).status == 422
    not_utf8 = json.dumps({**late, "payment_status": "failed"}).replace(CANARY, CANARY + "\\u0000").encode()
    expect(200, api.deliver(not_utf8))
    expect(201, api.call("POST", f"/api/orders/{order['id']}/refunds", {"amount": "1", "reason": CANARY}, key))
    refund = {"type": "refund.failed", "order_id": order["id"], "processor_refund_id": f"re_{customer_id}"}
    expect(200, api.deliver({**refund, "event_id": f"evt_r{customer_id}", "amount": "0.50", "name": CANARY}))
    entry = next(one for one in api.items(RECONCILIATION) if (one["order"] or {}).get("id") == order["id"])
    acknowledgement = f"{RECONCILIATION}/{entry['kind']}/{entry['id']}/acknowledgement"
    expect(201, api.call("POST", acknowledgement, {"note": CANARY}, key))
    return order


def test_the_statistics_of_the_planner_contain_no_canary(api: ApiClient, database: Connection) -> None:
    for customer_id in range(7, 12):
        fill(api, customer_id)
    database.run("ANALYZE")
    statistics = "SELECT tablename::text, attname::text, s::text FROM pg_stats s WHERE schemaname = 'public'"
    found = {(table, column): text for table, column, text in database.run(statistics) or []}
    assert ("orders", "customer_id") in found
    assert [names for names, text in found.items() if CANARY in text] == []


@pytest.mark.usefixtures("environment")
def test_an_upgrade_removes_the_bodies_from_the_statistics(earlier_database: Connection) -> None:
    earlier_database.run(
        """INSERT INTO payment_events (scheme, provider, event_id, body, outcome, reason)
           SELECT 'stripe', 'stripe', lpad(n::text, 20, '0'), 'Ada ' || n % 5, 'ignored', 'type_not_ours'
             FROM generate_series(1, 50) n"""
    )
    earlier_database.run(
        """INSERT INTO idempotency_keys (caller, operation, key, fingerprint, body)
           SELECT 'x', 'place_order', n::text, '', 'Ada ' || n % 5 FROM generate_series(1, 50) n"""
    )
    earlier_database.run("ANALYZE")
    stored = "SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%Ada %'"
    assert earlier_database.run(stored) == [[2]]
    migrate(earlier_database)
    earlier_database.run("ANALYZE")
    assert earlier_database.run(stored) == [[0]]


@pytest.mark.parametrize("rounds", [1, 2])
def test_an_erasure_leaves_no_canary_in_any_table(api: ApiClient, database: Connection, rounds: int) -> None:
    order, other = fill(api, 7), fill(api, 8)
    found = dump(database)
    assert {table for table, text in found.items() if CANARY in text} == set(PERSONAL)
    for table, column in pairs(PERSONAL):
        [[count]] = database.run(f"SELECT count(*) FROM {table} WHERE {column}::text LIKE '%{CANARY}%'") or []
        assert count > 0, f"no canary in {table}.{column}"
    for _ in range(rounds):
        assert erase(api, 7)["orders"] == 1
    assert expect(200, api.get(f"/api/orders/{other['id']}"))["email"] == f"{CANARY}@example.com"
    erase(api, 8)
    assert [line for text in dump(database).values() for line in text.splitlines() if CANARY in line] == []
    # The books stay.
    kept = expect(200, api.get(f"/api/orders/{order['id']}"))
    assert (kept["total_price"], kept["order_items"]) == (order["total_price"], order["order_items"])
    assert violations(database) == []
