"""The template, the route table and the functions' own routes agree."""

import subprocess

import pytest

from storefront import audit, db
from storefront.routes import ROUTES
from tests.shop import ROOT, load_function
from tests.template.sam import folder_name, functions, routes, template

TABLE = {f"{method} {path}" for path, methods in ROUTES.items() for method in methods}


def test_the_template_has_the_routes_of_the_table_and_a_default() -> None:
    assert routes().keys() == {*TABLE, "$default"}


@pytest.mark.parametrize("function", sorted(set(routes().values())))
def test_a_function_handles_the_routes_that_lead_to_it(function: str) -> None:
    app = load_function(folder_name(function)).app
    handled = {
        f"{route.method} {route.path}".replace("<", "{").replace(">", "}")
        for route in app._static_routes + app._dynamic_routes
    }
    assert handled == {key for key, name in routes().items() if name == function and key != "$default"}


def test_every_function_s_folder_is_in_the_template() -> None:
    assert {path.name for path in (ROOT / "functions").iterdir()} == {folder_name(name) for name in functions()}


def test_a_function_gets_the_settings_that_it_reads_and_no_other() -> None:
    given = {name: set(one.get("Environment", {}).get("Variables", {})) for name, one in functions().items()}
    assert given == {
        "ProductsFunction": {"DATABASE_URL", "CURSOR_KEY"},
        "OrdersFunction": {"DATABASE_URL", "CURSOR_KEY"},
        "WebhookFunction": {"DATABASE_URL", "CURRENCY", "WEBHOOK_SECRET_ID", "SECRETS_MANAGER_ENDPOINT"},
        "PaymentsFunction": {"DATABASE_URL", "CURSOR_KEY", "CURRENCY"},
        "FallbackFunction": set(),
        "ExpireOrdersFunction": {"DATABASE_URL", "ORDER_TIME_TO_LIVE_MINUTES"},
        "AuditFunction": {"DATABASE_URL"},
        "MigrateFunction": {"APP_ROLE", "DATABASE_URL"},
    }


def test_functions_that_answer_http_do_so_before_api_gateway_gives_up() -> None:
    limit = template()["Globals"]["Function"]["Timeout"]
    assert limit < 30
    slower = {name for name, one in functions().items() if one.get("Timeout", limit) > limit}
    assert slower & set(routes().values()) == set()


def test_time_outs_nest() -> None:
    # Twice (connecting 2 s and an answer 3 s), as in keyring.py.
    secrets_manager = 10
    assert secrets_manager + db.CONNECT_TIMEOUT + db.ANSWER_TIMEOUT < template()["Globals"]["Function"]["Timeout"]
    assert functions()["MigrateFunction"]["Timeout"] > load_function("migrate").ANSWER_TIMEOUT
    assert functions()["AuditFunction"]["Timeout"] > audit.ANSWER_TIMEOUT
    assert load_function("expire_orders").TIME_FOR_A_BATCH > (db.CONNECT_TIMEOUT + db.ANSWER_TIMEOUT) * 1000


def test_parameters_that_hold_secrets_are_not_shown() -> None:
    assert template()["Parameters"]["DatabaseUrl"]["NoEcho"] is True


@pytest.mark.usefixtures("sam_environment")
def test_sam_finds_nothing_wrong_with_it() -> None:
    result = subprocess.run(["sam", "validate", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
