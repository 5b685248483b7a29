"""DELETE /api/customers/{customer_id}/personal-data."""

import json
import re
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ROOT, ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.personal_data import add_note, erase, get, place
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()

BLANK: dict[str, Any] = {"email": None, "shipping_address": None, "billing_address": None, "note": None, "metadata": {}}


def causes(api: ApiClient, order: dict[str, Any]) -> list[str]:
    return [event["cause"] for event in timeline(api, order["id"])]


def test_all_orders_of_the_customer_lose_their_personal_data_and_keep_the_rest(api: ApiClient, tea: str) -> None:
    first = expect(201, place(api, tea, reference="R-1", charges=[{"kind": "fee", "label": "Card", "amount": "1"}]))
    second, other = place(api, tea).json, place(api, tea, customer_id=8).json
    expect(200, api.change_status(second["id"], "canceled"))
    before = api.get(f"/api/orders/{first['id']}").headers["etag"]
    assert erase(api) == {"customer_id": 7, "orders": 2}
    after = get(api, first)
    assert after == {**first, **BLANK, "updated_at": after["updated_at"]}
    assert after["updated_at"] > first["updated_at"]
    assert api.get(f"/api/orders/{first['id']}").headers["etag"] != before
    assert get(api, second)["email"] is None
    assert get(api, other) == other
    assert (causes(api, first), causes(api, second)) == (
        ["placed", "erasure"],
        ["placed", "status_change", "erasure"],
    )
    entry = timeline(api, first["id"])[-1]
    assert (entry["actor"], entry["message"]) == ("anonymous", "The personal data of the customer was erased.")
    assert entry["from"] == entry["to"]


def test_an_order_without_personal_data_gets_its_entry_too(api: ApiClient, tea: str) -> None:
    order = api.order((tea, 1), customer_id=7)
    assert erase(api)["orders"] == 1
    assert causes(api, order) == ["placed", "erasure"]


def test_a_repetition_changes_nothing(api: ApiClient, tea: str) -> None:
    order = place(api, tea, key="k").json
    erase(api)
    before = get(api, order), timeline(api, order["id"])
    assert erase(api) == {"customer_id": 7, "orders": 1}
    assert (get(api, order), timeline(api, order["id"])) == before


def test_a_customer_without_orders_is_no_error(api: ApiClient) -> None:
    assert erase(api, 2_147_483_647) == {"customer_id": 2_147_483_647, "orders": 0}


@pytest.mark.parametrize("customer_id", ["0", "-1", "2147483648", "x", "1.5", "%D9%A1", "9" * 30, "{1}", "1%0A"])
def test_an_invalid_customer_id_is_refused(api: ApiClient, customer_id: str) -> None:
    refused = api.call("DELETE", f"/api/customers/{customer_id}/personal-data")
    assert refused.status in (404, 422)
    assert customer_id not in refused.text


def test_only_staff_can_erase(api: ApiClient, tea: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order = place(api, tea).json
    monkeypatch.setenv("AUTH", "on")
    path = "/api/customers/7/personal-data"
    for client in (customer_client(7), client_with_scopes("orders:read", "orders:write")):
        assert client.call("DELETE", path).problem() == (403, "forbidden")
    assert client_with_scopes(*SCOPES).call("GET", path).problem() == (405, "method-not-allowed")
    staff = client_with_scopes("orders:manage", sub="alice")
    assert erase(staff)["orders"] == 1
    # The customer sees that it happened, and not who did it.
    assert [(event["cause"], event["actor"]) for event in timeline(customer_client(7), order["id"])][-1] == (
        "erasure",
        "shop",
    )


def test_notes_keep_their_entry_and_lose_their_text(api: ApiClient, tea: str, database: Connection) -> None:
    order, other = place(api, tea).json, place(api, tea, customer_id=8).json
    expect(201, add_note(api, order["id"], "Ada called."))
    expect(201, add_note(api, other["id"], "Bob called."))
    erase(api)
    noted = timeline(api, order["id"])[1]
    assert (noted["cause"], noted["note"], noted["message"]) == (
        "note",
        None,
        "Staff wrote a note. Its text was erased.",
    )
    assert timeline(api, other["id"])[1]["note"] == "Bob called."
    assert violations(database) == []


def test_a_note_that_was_written_later_is_erased_the_next_time(api: ApiClient, tea: str, database: Connection) -> None:
    order, untouched = place(api, tea).json, place(api, tea).json
    erase(api)
    expect(201, add_note(api, order["id"], "Ada called again.", **{"idempotency-key": "k"}))
    assert violations(database) == []
    before = get(api, order)
    assert erase(api)["orders"] == 2
    assert causes(api, order) == ["placed", "erasure", "note", "erasure"]
    assert causes(api, untouched) == ["placed", "erasure"]
    assert timeline(api, order["id"])[2]["note"] is None
    assert get(api, order)["updated_at"] > before["updated_at"]
    assert violations(database) == []


def test_a_retry_gets_its_response_without_personal_data_and_places_no_second_order(
    api: ApiClient, tea: str, database: Connection
) -> None:
    first, other = place(api, tea, key="k"), place(api, tea, customer_id=8, key="other")
    noted = add_note(api, first.json["id"], "Ada called.", **{"idempotency-key": "k"})
    erase(api)
    again = place(api, tea, key="k")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json == {**first.json, **BLANK}
    assert list(again.json) == list(first.json)
    assert again.headers["location"] == first.headers["location"]
    noted_again = add_note(api, first.json["id"], "Ada called.", **{"idempotency-key": "k"})
    assert noted_again.json == {
        **noted.json,
        "note": None,
        "message": timeline(api, first.json["id"])[1]["message"],
    }
    assert place(api, tea, key="k", email="eve@example.com").problem() == (422, "idempotency-key-reused")
    assert place(api, tea, customer_id=8, key="other").json == other.json
    assert api.stock(tea) == 8
    assert violations(database) == []


def test_a_key_that_belongs_to_another_customer_by_now_keeps_its_response(
    api: ApiClient, tea: str, database: Connection
) -> None:
    place(api, tea, key="k")
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '73 hours'")
    database.run("SET session_replication_role = replica")
    database.run("UPDATE order_events SET occurred_at = occurred_at - interval '73 hours'")
    other = expect(201, place(api, tea, customer_id=8, key="k"))
    erase(api)
    assert place(api, tea, customer_id=8, key="k").json == other
    assert violations(database) == []


def test_one_log_line_says_which_erasure_to_repeat_after_a_restore(
    api: ApiClient, tea: str, caplog: pytest.LogCaptureFixture
) -> None:
    place(api, tea)
    caplog.clear()
    erase(api)
    [line] = [vars(record) for record in caplog.records if record.message == "request"]
    assert (line["route"], line["status"], line["customer_id"], line["orders"]) == (
        "DELETE /api/customers/{customer_id}/personal-data",
        200,
        "7",
        "1",
    )


def test_an_order_that_was_copied_from_a_backup_is_erased_again(api: ApiClient, tea: str, database: Connection) -> None:
    order = place(api, tea).json
    erase(api)
    database.run("UPDATE orders SET email = 'ada@example.com'")
    assert [one.rule for one in violations(database)] == [
        "an order has no contact details, note and metadata after its erasure"
    ]
    erase(api)
    assert causes(api, order) == ["placed", "erasure", "erasure"]
    assert violations(database) == []


ERASING = re.findall(r"(SELECT body FROM erase_personal_data\(.*?)\"", RUNBOOK, re.DOTALL)
"""The statements of the runbook: for a customer with very many orders, and after a restore."""


def test_the_owner_of_the_database_erases_without_a_time_limit(api: ApiClient, tea: str, database: Connection) -> None:
    for _ in range(3):
        place(api, tea, customer_id=12345)
    statement, _ = ERASING
    assert f'"SET statement_timeout = 0; {statement}"' in RUNBOOK
    [[body]] = database.run(statement) or []
    assert json.loads(body) == {"customer_id": 12345, "orders": 3}
    assert violations(database) == []


def test_the_runbook_repeats_an_erasure_after_a_restore(api: ApiClient, tea: str, database: Connection) -> None:
    order = place(api, tea, key="k").json
    erase(api)
    # As a restore from before the erasure.
    database.run("SET session_replication_role = replica")
    database.run("DELETE FROM order_events WHERE cause = 'erasure'")
    database.run("UPDATE orders SET email = 'ada@example.com', personal_data_erased_at = NULL")
    database.run("SET session_replication_role = origin")
    _, erasing = ERASING
    database.run(erasing.replace("$CUSTOMER", "7"))
    assert get(api, order)["email"] is None
    assert timeline(api, order["id"])[-1]["actor"] == "restore"
    assert violations(database) == []
    [moving] = re.findall(r"(SELECT setval.*?)\"", RUNBOOK)
    database.run(moving)
    assert place(api, tea).json["number"] > order["number"] + 9_000
