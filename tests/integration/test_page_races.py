"""A page shows one moment, even if rows change while it is read."""

import threading
from typing import Any

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.handlers.inbox import RECONCILIATION
from tests.integration.races import change_status, is_waited_for, pay

PAUSE_AFTER_READING_ROWS = """
ALTER FUNCTION read_page RENAME TO read_page_and_go_on;
CREATE FUNCTION read_page(request jsonb, after anyelement, filter text, sort_keys text[], descending boolean,
                          few text DEFAULT NULL, scanned text DEFAULT NULL, estimated_by text DEFAULT NULL,
                          OUT head text, OUT rows anyarray)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT page.head, page.rows INTO head, rows
      FROM read_page_and_go_on(request, after, filter, sort_keys, descending, few, scanned, estimated_by) page;
    PERFORM pg_advisory_xact_lock(1);
END
$$"""


def test_an_order_that_changes_while_a_page_is_read_is_shown_unchanged(api: ApiClient, database: Connection) -> None:
    order = api.order((api.create_product()["id"], 1))
    database.run(PAUSE_AFTER_READING_ROWS)
    listed: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: listed.extend(api.items(RECONCILIATION, pending_minutes=0)))
    database.run("SELECT pg_advisory_lock(1)")
    reader.start()
    while not is_waited_for(database):
        assert reader.is_alive()
    settled = [call.run(database) for call in (pay(order["id"], "paid"), change_status(order["id"], "completed"))]
    assert settled == ["applied", "changed"]
    database.run("SELECT pg_advisory_unlock(1)")
    reader.join()
    [one] = listed
    assert (one["kind"], one["order"]["status"]) == ("pending_too_long", "pending")
