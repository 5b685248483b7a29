"""The comparison with other products: the report of its results, and the reasons of refused orders."""

import json
from typing import Any

import pytest

from benchmarks.products import catalog
from benchmarks.products.report import report
from benchmarks.products.rush import OUT_OF_STOCK, without_ids
from tests.api_client import ROOT

TASK = {"tasks": 10, "requests": 6, "bytes": 300, "rates": [4.5, 5.0, 5.25], "p50": 1234.5, "p99": 0.25}


def results(**rush: Any) -> dict[str, Any]:
    task = {"Shop": {**TASK, "processor": {"server": [150.0, 99.0, 12.34], "PostgreSQL": [1.0, 2.0, 3.0]}}}
    return {
        "rounds": 3,
        "machine": {"Node.js": "20.1.0", "Redis": ""},
        "tasks": {"order": task, "product": task, "list": task},
        "statements": {"Shop": {"orders": 20, "sent": 251.6, "executed": 300.2}},
        "rush": {"buyers": 64, "units": 25, "setups": {}, "not_measured": [], **rush},
    }


def test_the_report_has_the_median_and_the_spread_of_all_rounds() -> None:
    text = report(results(), "")
    assert "| Shop | 252 | 300 |" in text
    assert "| Shop | 99.0 (12.3 to 150) | 2.00 (1.00 to 3.00) |" in text
    assert "| Shop | 6 | 5.00 (4.50 to 5.25) | 1,234 | 0.25 | 10 |" in text


def test_the_report_shows_what_was_not_measured() -> None:
    text = report(results(not_measured=["Shop, two servers"]), "")
    assert "| Shop, two servers |  | not measured |" in text
    assert "- Redis: not installed" in text


def test_the_report_shows_each_run_of_the_buyers() -> None:
    run: dict[str, Any] = {
        "sold": 26,
        "left": -1,
        "confirmed": 27,
        "out_of_stock": {"none left": 36},
        "errors": {"500 a|b": 1},
    }
    run |= {"later": '409 {"code":"insufficient_stock"}', "seconds": 1.26}
    text = report(results(setups={"Shop": [run, run]}), "## Setup")
    assert "| Shop | 2 | 26 of 25 | -1 | 27 | 36 | 1 × 500 a/b | out of stock | 1.3 |" in text
    assert "## Setup" in text


def test_the_report_shows_only_the_message_of_an_error() -> None:
    errors = {r'400 {"type":"x","message":"Updating from \"a\" to \"b\" failed"}': 2}
    run: dict[str, Any] = {"sold": 1, "left": 0, "confirmed": 1, "out_of_stock": {}, "errors": errors}
    text = report(results(setups={"Shop": [run | {"later": "got an order", "seconds": 1.0}]}), "")
    assert r"| 2 × 400 Updating from \"a\" to \"b\" failed | got an order |" in text


def test_the_committed_report_has_the_committed_results() -> None:
    folder = ROOT / "benchmarks" / "products"
    written = report(json.loads((folder / "results.json").read_text()), (folder / "setup.md").read_text())
    assert (ROOT / "benchmarks" / "PRODUCTS.md").read_text() == written


@pytest.mark.parametrize(
    "reason",
    [
        '409 {"type" : "/docs#insufficient-stock"}',
        "INSUFFICIENT_STOCK_ERROR",
        '400 {"code":"insufficient_inventory","type":"not_allowed"}',
    ],
)
def test_a_refusal_for_missing_stock_is_not_an_error(reason: str) -> None:
    assert OUT_OF_STOCK.search(reason)


def test_reasons_that_differ_in_an_id_are_counted_together() -> None:
    assert without_ids("cart_01M8PKNG14CX8872QN80H385ZB failed") == "… failed"
    assert without_ids("a0000000-0000-4000-8000-000000000001 failed") == "… failed"


def test_every_shop_has_the_same_products() -> None:
    products = catalog.products()
    assert len({product.sku for product in products}) == len(products)
    assert len(products) == catalog.PRODUCTS + catalog.HOT_PRODUCTS + catalog.LAST_PRODUCTS
    assert [product.stock for product in products if product.sku.startswith("HOT")] == [25] * catalog.HOT_PRODUCTS


@pytest.mark.parametrize("project", ["medusa", "vendure"])
def test_a_lock_file_names_no_registry(project: str) -> None:
    lock = json.loads((ROOT / "benchmarks" / "products" / project / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
