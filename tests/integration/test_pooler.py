"""Everything works behind pgbouncer in transaction mode, because a request takes one round trip."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.pooler import Pooler, pooler
from tests.integration.races import place

SESSIONS = 32

pytestmark = pytest.mark.not_behind_a_pooler("these tests start poolers of their own")


@pytest.fixture(params=[1, 2])
def narrow_pooler(server_url: str, request: pytest.FixtureRequest) -> Iterator[Pooler]:
    """A pooler with fewer sessions than in any real setup."""
    with pooler(server_url, pool_size=request.param) as running:
        yield running


def test_many_clients_share_one_or_two_sessions_and_get_their_own_responses(
    api: ApiClient, database_url: str, database: Connection, narrow_pooler: Pooler
) -> None:
    product_ids = [api.create_product(quantity=1000)["id"] for _ in range(SESSIONS)]
    url = narrow_pooler.behind(database_url)
    with ThreadPoolExecutor(SESSIONS) as threads:
        list(threads.map(lambda product_id: buy_and_read(url, product_id, times=50), product_ids))
    assert {api.stock(product_id) for product_id in product_ids} == {950}
    assert sum(narrow_pooler.transactions().values()) >= SESSIONS * 50 * 2
    assert violations(database) == []


def buy_and_read(url: str, product_id: str, times: int) -> None:
    """Buy and read a product several times, in one session."""
    with closing(db.connect(url)) as connection:
        for bought in range(1, times + 1):
            assert place((product_id, 1)).run(connection) == "placed"
            sql = "SELECT outcome, body FROM get_product($1)"
            outcome, body = db._execute(connection, sql, f'{{"id": "{product_id}"}}')
            assert outcome == "found"
            assert f'"{product_id}"' in body
            assert re.search(rf'"quantity" : {1000 - bought}\b', body)


@pytest.mark.parametrize("narrow_pooler", [1], indirect=True)
def test_a_statement_in_three_round_trips_gets_the_result_of_another_session(
    database_url: str, narrow_pooler: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = narrow_pooler.behind(database_url)
    with closing(db.connect(url)) as one, closing(db.connect(url)) as other:
        handle_messages = one.handle_messages

        def let_the_other_go_first(context: Any) -> None:
            monkeypatch.undo()
            handle_messages(context)
            other.run("SELECT 'coffee', :cups", cups="2")

        monkeypatch.setattr(one, "handle_messages", let_the_other_go_first)
        # The statement asked for tea. This is why db.py does not use pg8000's run().
        assert one.run("SELECT 'tea', :cups", cups="1") == [["coffee", "1"]]
