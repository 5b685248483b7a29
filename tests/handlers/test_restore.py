"""The runbook's commands copy a lost order from a backup."""

import io
import re

from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ROOT, ApiClient, expect
from tests.handlers.inbox import RECONCILIATION
from tests.handlers.refunds import current, dispute, line, paid_order, requested

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def test_the_runbook_copies_a_lost_order(api: ApiClient, database: Connection) -> None:
    paid = paid_order(api, units=2)
    order_id = paid["id"]
    requested(api, paid, lines=[line(paid, 1, restock=True)], reason="Broken.")
    dispute(api, paid)
    [entry] = api.items(RECONCILIATION)
    acknowledgement = f"{RECONCILIATION}/{entry['kind']}/{entry['id']}/acknowledgement"
    expect(201, api.call("POST", acknowledgement, {"note": "The bank has our answer."}))
    lists = [f"/api/orders/{order_id}/{name}" for name in ("payments", "refunds", "events")]
    lists.append(f"{RECONCILIATION}?acknowledged=true")
    order, shown = current(api, paid), [api.get(path).json for path in lists]
    [(read, write)] = re.findall(r'"(COPY \(SELECT .*?)" 5433 \| .*?"(COPY .*?)"', RUNBOOK)
    found = re.findall(r"\$ copy_rows (\w+) \"(.*?)\"", RUNBOOK)
    tables = {table: condition.replace("$ORDER", order_id) for table, condition in found}
    backup = {table: io.BytesIO() for table in tables}
    for table, condition in tables.items():
        database.run(read.replace("$1", table).replace("$2", condition), stream=backup[table])
        backup[table].seek(0)
    database.run("SET session_replication_role = replica")
    for table, condition in reversed(tables.items()):
        database.run(f"DELETE FROM {table} WHERE {condition}")
    database.run("SET session_replication_role = origin")
    assert violations(database) != []
    kept = {"products", "stock_movements", "schema_history", "payment_completion"}
    assert filled(database) == kept, "all other rows are lost"
    for table in tables:
        database.run(write.replace("$1", table), stream=backup[table])
    assert violations(database) == []
    assert (current(api, paid), [api.get(path).json for path in lists]) == (order, shown)


def filled(database: Connection) -> set[str]:
    """The tables that have rows."""
    tables = database.run(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return {table for [table] in tables or [] if database.run(f"SELECT EXISTS (SELECT FROM {table})") == [[True]]}
