"""The runbook's commands copy a lost order from a backup."""

import io
import re

from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ROOT, ApiClient, expect

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def test_the_runbook_copies_a_lost_order(api: ApiClient, database: Connection) -> None:
    order_id = api.order((api.create_product()["id"], 2))["id"]
    api.pay(order_id)
    order = expect(200, api.get(f"/api/orders/{order_id}"))
    [(read, write)] = re.findall(r'"(COPY \(SELECT .*?)" \| .*?"(COPY .*?)"', RUNBOOK)
    found = re.findall(r"\$ copy_rows (\w+) \"(.*?)\"", RUNBOOK)
    tables = {table: condition.replace("$ORDER", order_id) for table, condition in found}
    backup = {table: io.BytesIO() for table in tables}
    for table, condition in tables.items():
        database.run(read.replace("$1", table).replace("$2", condition), stream=backup[table])
        backup[table].seek(0)
    database.run("SET session_replication_role = replica")
    for table, condition in tables.items():
        database.run(f"DELETE FROM {table} WHERE {condition}")
    database.run("SET session_replication_role = origin")
    assert violations(database) != []
    for table in tables:
        database.run(write.replace("$1", table), stream=backup[table])
    assert violations(database) == []
    assert expect(200, api.get(f"/api/orders/{order_id}")) == order
