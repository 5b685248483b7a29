"""Every example event under events/ works unchanged on the sample data."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection, DatabaseError

from local import webhook_simulator
from local.database_setup import SAMPLE_DATA, load_sample_data
from storefront import db
from storefront.audit import violations
from tests.api_client import ApiClient, lambda_context, load_function
from tests.conformance import check_spacing
from tests.template.sam import EVENTS, UNROUTED, folder_name, function_for, functions, routes


def invoke(name: str) -> Any:
    event = json.loads((EVENTS / name).read_text())
    return load_function(folder_name(function_for(name, event))).lambda_handler(event, lambda_context())


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.iterdir()))
def test_an_example_event_succeeds(direct_url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load_sample_data(direct_url)
    if name == "migrate.json":
        # Migrations need the owner.
        monkeypatch.setenv("DATABASE_URL", direct_url)
    response = invoke(name)
    if name in UNROUTED:
        assert response.items() >= UNROUTED[name].items()
    elif name in ("unknown-route.json", "get-docs-file.json", "get-console-file.json"):
        # The name of a file has a hash, which changes with its content.
        assert response["statusCode"] == 404
    else:
        assert response["statusCode"] in (200, 201, 204, 302), response


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.iterdir() if path.name not in UNROUTED))
def test_every_route_sends_json_in_one_style(api: ApiClient, direct_url: str, name: str) -> None:  # noqa: ARG001  needs its database
    load_sample_data(direct_url)
    response = invoke(name)
    media_type = response["headers"].get("Content-Type", "")
    if "json" in media_type:
        check_spacing(response["body"])
    else:
        assert name in ("get-docs.json", "get-console.json") or response["statusCode"] in (204, 302)


def test_an_event_printed_by_the_webhook_simulator_succeeds(
    order: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert webhook_simulator.main(["paid", order["id"], "--scheme", "stripe", "--print-event"]) == 0
    event = json.loads(capsys.readouterr().out)
    response = load_function("webhook").lambda_handler(event, lambda_context())
    assert (response["statusCode"], json.loads(response["body"])["outcome"]) == (200, "applied")


def test_every_route_and_every_function_has_an_example_event() -> None:
    events = {path.name: json.loads(path.read_text()) for path in EVENTS.iterdir()}
    handled = {key for key in routes() if not key.startswith("HEAD ")}
    assert {event["routeKey"] for event in events.values() if "routeKey" in event} == handled
    assert {function_for(name, event) for name, event in events.items()} == {
        *functions(),
        "StaffScopesFunction",
    }


def test_the_sample_data_is_loaded_once_and_is_consistent(database_url: str, database: Connection) -> None:
    assert load_sample_data(database_url)
    assert not load_sample_data(database_url)
    assert violations(database) == []


def test_the_sample_data_is_loaded_completely_or_not_at_all(
    database_url: str, database: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sample_data.sql"
    broken.write_text(SAMPLE_DATA.read_text() + "SELECT 1 / 0;")
    monkeypatch.setattr("local.database_setup.SAMPLE_DATA", broken)
    with pytest.raises(DatabaseError, match="division by zero"):
        load_sample_data(database_url)
    assert database.run("SELECT count(*) FROM products") == [[0]]


def test_a_shop_with_deleted_products_gets_no_sample_data(api: ApiClient, database_url: str) -> None:
    api.call("DELETE", f"/api/products/{api.create_product()['id']}")
    assert not load_sample_data(database_url)
    with closing(db.connect(database_url)) as connection:
        assert connection.run("SELECT count(*) FROM products WHERE deleted_at IS NULL") == [[0]]
