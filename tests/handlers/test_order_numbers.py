"""An order's number, which the server gives, and its reference, which the shop gives."""

from functools import partial
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, Response, expect, target
from tests.handlers.tokens import customer_client, with_claims
from tests.integration import load_clients
from tests.integration.load_clients import all_at_once
from tests.integration.races import once, place, two_at_once

SHOP = "orders:read orders:write orders:manage orders:all"


def buy(api: ApiClient, product_id: str, key: str | None = None, units: int = 1, **fields: Any) -> Response:
    body = {"customer_id": 7, "products": [{"product_id": product_id, "quantity": units}], **fields}
    return api.call("POST", "/api/orders", body, {} if key is None else {"Idempotency-Key": key})


def test_numbers_start_at_1001(api: ApiClient, tea: str) -> None:
    assert [expect(201, buy(api, tea))["number"] for _ in range(3)] == [1001, 1002, 1003]


def test_a_refused_order_may_leave_a_gap_but_no_number_is_used_twice(api: ApiClient, tea: str) -> None:
    numbers = []
    for units in (1, 11, 1, 99, 1):
        response = buy(api, tea, units=units)
        if response.status == 201:
            numbers.append(response.json["number"])
    assert len(set(numbers)) == 3
    assert numbers == sorted(numbers)


def test_a_replay_has_the_number_of_the_first_response(api: ApiClient, tea: str) -> None:
    assert expect(201, buy(api, tea, "k"))["number"] == expect(201, buy(api, tea, "k"))["number"]


def test_the_reference_is_shown_as_sent(api: ApiClient, tea: str) -> None:
    for reference in ("SO-2026/0007", "№ 7", "Ａ", "漢" * 64, "a b"):
        assert expect(201, buy(api, tea, reference=reference))["reference"] == reference


@pytest.mark.parametrize("reference", ["", " ", " a", "a ", "a\nb", "\0", "a" * 65, "\u200b", 7, "a\u2028b"])
def test_a_reference_that_is_not_printable_returns_422(api: ApiClient, tea: str, reference: Any) -> None:
    refused = buy(api, tea, reference=reference)
    assert refused.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/reference"]


def test_references_that_differ_in_case_are_different(api: ApiClient, tea: str) -> None:
    expect(201, buy(api, tea, reference="a-1"))
    expect(201, buy(api, tea, reference="A-1"))


@pytest.mark.parametrize(("first", "second"), [(None, None), ("1", "2"), ("1", None), (None, "2")])
def test_a_taken_reference_returns_409_with_the_order_of_the_same_caller(
    api: ApiClient, tea: str, first: str | None, second: str | None
) -> None:
    order = expect(201, buy(api, tea, first, reference="A-1"))
    refused = buy(api, tea, second, reference="A-1")
    assert refused.problem() == (409, "reference-taken")
    assert refused.json["order_id"] == order["id"]
    assert api.stock(tea) == 9


def test_the_same_key_and_reference_return_the_first_response(api: ApiClient, tea: str) -> None:
    first, second = (buy(api, tea, "k", reference="A-1") for _ in range(2))
    assert (second.status, second.json, second.headers["idempotent-replayed"]) == (201, first.json, "true")


def test_a_refused_order_leaves_its_reference_free(api: ApiClient, tea: str) -> None:
    assert buy(api, tea, units=11, reference="A-1").problem() == (400, "insufficient-stock")
    expect(201, buy(api, tea, reference="A-1"))


def test_a_reference_is_taken_even_if_its_order_took_the_last_unit(api: ApiClient, tea: str) -> None:
    expect(201, buy(api, tea, "1", units=10, reference="A-1"))
    assert buy(api, tea, "2", units=10, reference="A-1").problem() == (409, "reference-taken")


def test_the_reference_of_a_canceled_order_stays_taken(api: ApiClient, tea: str) -> None:
    order = expect(201, buy(api, tea, reference="A-1"))
    expect(200, api.change_status(order["id"], "canceled"))
    assert buy(api, tea, reference="A-1").problem() == (409, "reference-taken")


def test_another_caller_does_not_get_the_order_of_a_taken_reference(
    api: ApiClient, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(201, buy(api, tea, reference="A-0"))
    monkeypatch.setenv("AUTH", "on")
    order = expect(201, buy(with_claims(sub="web", scope=SHOP), tea, reference="A-1"))
    for sub, shown in (("web", order["id"]), ("erp", None), ("anonymous-2", None)):
        refused = buy(with_claims(sub=sub, scope=SHOP), tea, reference="A-1")
        assert (refused.problem(), refused.json.get("order_id")) == ((409, "reference-taken"), shown)
    # An order from the time before authorization was switched on.
    assert "order_id" not in buy(with_claims(sub="web", scope=SHOP), tea, reference="A-0").json


def test_the_second_of_two_orders_with_one_reference_waits_and_is_refused(
    api: ApiClient, tea: str, database: Connection, database_url: str
) -> None:
    order = place((tea, 1), reference="A-1")
    assert two_at_once(database_url, order, order) == ("placed", "reference_taken")
    keys = [once(place((tea, 1), reference="A-2"), key) for key in ("1", "2")]
    assert two_at_once(database_url, *keys) == ("placed", "reference_taken")
    assert api.stock(tea) == 8
    assert violations(database) == []


def test_orders_with_different_references_do_not_wait_for_each_other(
    api: ApiClient, tea: str, database_url: str
) -> None:
    cup = api.create_product(name="Cup")["id"]
    orders = place((tea, 1), reference="A-1"), place((cup, 1), reference="A-2")
    assert two_at_once(database_url, *orders, waits=False) == ("placed", "placed")


def test_an_order_can_wait_for_one_that_fails(api: ApiClient, tea: str, database_url: str) -> None:
    refused, order = place((tea, 99), reference="A-1"), place((tea, 1), reference="A-1")
    assert two_at_once(database_url, refused, order) == ("insufficient_stock", "placed")
    assert api.stock(tea) == 9


def test_concurrent_orders_have_different_numbers(api: ApiClient, database: Connection, database_url: str) -> None:
    line_items = [(api.create_product(quantity=1000)["id"], 1) for _ in range(8)]
    all_at_once(database_url, [partial(load_clients.buy, [one], 20) for one in line_items])
    assert database.run("SELECT count(*), count(DISTINCT number), min(number) FROM orders") == [[160, 160, 1001]]
    assert violations(database) == []


def found(api: ApiClient, **filters: Any) -> list[int]:
    """The numbers of the orders that a list with these filters shows."""
    return [order["number"] for order in api.items("/api/orders", **filters)]


@pytest.fixture
def orders(api: ApiClient, tea: str) -> list[dict[str, Any]]:
    """Orders with the numbers 1001 to 1004, of the customers 7, 7, 7 and 8."""
    fields: list[dict[str, Any]] = [
        {"email": "Ada@Example.com", "reference": "A-1"},
        {"email": "ada@example.com", "reference": "a-1"},
        {"email": "ÄDA@bücher.example"},
        {"email": "ada@example.com", "customer_id": 8},
    ]
    return [expect(201, buy(api, tea, **one)) for one in fields]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"number": "1002"}, [1002]),
        ({"number": "0001002"}, [1002]),
        ({"number": "999"}, []),
        ({"number": "2147483647"}, []),
        ({"number": "1002", "status": "canceled"}, []),
        ({"reference": "A-1"}, [1001]),
        ({"reference": "a-1"}, [1002]),
        ({"reference": "A-2"}, []),
        ({"email": "ADA@EXAMPLE.COM"}, [1004, 1002, 1001]),
        ({"email": "ada@example.com", "customer_id": 7}, [1002, 1001]),
        ({"email": "äda@BÜCHER.example"}, [1003]),
        ({"email": "da@example.com"}, []),
        # The number with leading zeros, as in a column of fixed width.
        ({"number": "00000000001001"}, [1001]),
        ({"number": "00000000000000001001"}, [1001]),
    ],
)
def test_orders_are_found_by_number_reference_and_email(
    api: ApiClient, filters: dict[str, Any], numbers: list[int]
) -> None:
    assert found(api, **filters) == numbers


@pytest.mark.parametrize(
    "query",
    [
        *("number=0", "number=-1", "number=x", "number=", "number=99999999999", "number=0000000000000000000001001"),
        *("reference=", "email=ada", "email="),
    ],
)
def test_an_invalid_filter_returns_422(api: ApiClient, query: str) -> None:
    refused = api.get(f"/api/orders?{query}")
    assert refused.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in refused.json["errors"]] == [query.partition("=")[0]]


@pytest.mark.usefixtures("orders")
def test_a_number_a_reference_and_an_email_give_no_access(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH", "on")
    for filters in ({"number": 1004}, {"number": 1001}, {"reference": "A-1"}, {"email": "ada@example.com"}):
        assert all(number != 1004 for number in found(customer_client(7), **filters))
        assert all(number == 1004 for number in found(customer_client(8), **filters))
    assert found(customer_client(7), number=1004) == found(customer_client(8), reference="A-1") == []
    assert found(customer_client(8), email="ada@example.com") == [1004]


def test_long_addresses_that_begin_alike_are_told_apart(api: ApiClient, tea: str) -> None:
    # An entry of the index has only the first 255 characters. ﷺ folds into 18 characters.
    emails = [f"{'ﷺ' * 20}{end}@example.com" for end in ("a", "b")]
    for email in emails:
        expect(201, buy(api, tea, email=email))
    assert [found(api, email=email) for email in emails] == [[1001], [1002]]


def test_pages_and_links_keep_the_email(api: ApiClient, tea: str) -> None:
    email = "ada+tea&co@example.com"
    for _ in range(3):
        expect(201, buy(api, tea, email=email))
    page = api.get(target("/api/orders", email=email, page_size=2))
    following = api.get(target("/api/orders", email=email, page_size=2, cursor=page.json["next_cursor"]))
    assert [order["number"] for order in page.json["items"] + following.json["items"]] == [1003, 1002, 1001]
    assert "email=ada%2Btea%26co%40example.com" in page.headers["link"]
    other = target("/api/orders", email="ada@example.com", page_size=2, cursor=page.json["next_cursor"])
    assert api.get(other).problem() == (400, "bad-cursor")
