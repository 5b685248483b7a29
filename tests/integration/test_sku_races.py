"""Two sessions that take or free the same SKU at the same time."""

from functools import partial
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.races import Call, once, place, two_at_once


def create(sku: str) -> Call:
    return Call("create_product", {"name": "Tea", "price": "4.50", "quantity": 10, "sku": sku})


def update(product: dict[str, Any], sku: str | None) -> Call:
    return Call("update_product", {"id": product["id"], "changes": {"sku": sku}})


def delete(product: dict[str, Any]) -> Call:
    return Call("delete_product", {"id": product["id"]})


@pytest.fixture
def tea(api: ApiClient) -> dict[str, Any]:
    return api.create_product(sku="tea-1")


@pytest.fixture
def coffee(api: ApiClient) -> dict[str, Any]:
    return api.create_product(name="Coffee", sku="coffee-1")


def skus(api: ApiClient) -> list[str]:
    return sorted(product["sku"] or "" for product in api.items("/api/products"))


def test_of_two_creations_with_one_sku_the_second_is_refused(
    api: ApiClient, database: Connection, database_url: str
) -> None:
    assert two_at_once(database_url, create("tea-1"), create("TEA-1")) == ("created", "sku_taken")
    assert skus(api) == ["tea-1"]
    assert violations(database) == []


def test_a_key_decides_before_a_sku(api: ApiClient, database_url: str) -> None:
    first = once(create("tea-1"), "k")
    assert two_at_once(database_url, first, first) == ("created", "replayed")
    second = once(create("tea-2"), "k2")
    assert two_at_once(database_url, second, once(create("TEA-2"), "k3")) == ("created", "sku_taken")
    assert skus(api) == ["tea-1", "tea-2"]


def test_creations_with_different_skus_do_not_wait(database_url: str) -> None:
    assert two_at_once(database_url, create("tea-1"), create("tea-2"), waits=False) == ("created", "created")


@pytest.mark.parametrize(
    "free", [delete, partial(update, sku="tea-2"), partial(update, sku=None)], ids=["delete", "change", "remove"]
)
def test_a_creation_that_waited_until_the_sku_was_free_succeeds(
    api: ApiClient, database_url: str, tea: dict[str, Any], free: Any
) -> None:
    assert two_at_once(database_url, free(tea), create("TEA-1"))[1] == "created"
    assert "TEA-1" in skus(api)


def test_an_update_that_waited_until_the_sku_was_free_succeeds(
    api: ApiClient, database_url: str, tea: dict[str, Any], coffee: dict[str, Any]
) -> None:
    assert two_at_once(database_url, delete(tea), update(coffee, "TEA-1")) == ("deleted", "updated")
    assert skus(api) == ["TEA-1"]


def test_an_update_that_waited_for_a_creation_is_refused(
    api: ApiClient, database_url: str, coffee: dict[str, Any]
) -> None:
    assert two_at_once(database_url, create("tea-1"), update(coffee, "TEA-1")) == ("created", "sku_taken")
    assert skus(api) == ["coffee-1", "tea-1"]


def test_a_creation_that_waited_for_an_update_is_refused(
    api: ApiClient, database_url: str, coffee: dict[str, Any]
) -> None:
    assert two_at_once(database_url, update(coffee, "tea-1"), create("TEA-1")) == ("updated", "sku_taken")
    assert skus(api) == ["tea-1"]


def test_of_two_updates_to_one_sku_the_second_is_refused(
    api: ApiClient, database_url: str, tea: dict[str, Any], coffee: dict[str, Any]
) -> None:
    assert two_at_once(database_url, update(tea, "new"), update(coffee, "NEW")) == ("updated", "sku_taken")
    assert skus(api) == ["coffee-1", "new"]


def test_two_products_that_swap_their_skus_are_both_refused(
    api: ApiClient, database_url: str, tea: dict[str, Any], coffee: dict[str, Any]
) -> None:
    swap = update(tea, "coffee-1"), update(coffee, "tea-1")
    # Neither waits: each SKU belongs to a committed row.
    assert two_at_once(database_url, *swap, waits=None) == ("sku_taken", "sku_taken")
    assert skus(api) == ["coffee-1", "tea-1"]


def test_an_order_does_not_wait_for_a_sku(api: ApiClient, database_url: str, tea: dict[str, Any]) -> None:
    assert two_at_once(database_url, create("tea-2"), place((tea["id"], 1)), waits=False) == ("created", "placed")
    assert api.stock(tea["id"]) == 9


def test_skus_work_before_the_last_step_of_an_upgrade_creates_their_index(api: ApiClient, database: Connection) -> None:
    database.run("DROP INDEX products_by_sku")
    tea = api.create_product(sku="tea-1")
    assert update(tea, "tea-2").run(database) == "updated"
    [found] = api.items("/api/products", sku="TEA-2")
    assert found["id"] == tea["id"]
