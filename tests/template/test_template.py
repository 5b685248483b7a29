"""The template, the route table and the functions' routes agree."""

import subprocess
from typing import Any

import pytest

from storefront import audit, db, iam, replica, sockets
from storefront.access import COGNITO_PREFIX, OPEN
from storefront.payments import secret
from storefront.routes import DEFAULT_ROUTE, OF_CUSTOMERS, ORDERS_ALL, ROUTES, Access, allowed_methods
from tests.api_client import ROOT, load_function
from tests.template.sam import (
    ENVIRONMENTS,
    folder_name,
    functions,
    http_events,
    resources,
    routes,
    settings_of,
    template,
)

TABLE = {
    f"{method} {path}": methods["GET" if method == "HEAD" else method]
    for path, methods in ROUTES.items()
    for method in allowed_methods(path)
}
"""The access rule of each route key."""


def test_the_template_has_the_routes_of_the_table_and_a_default_route() -> None:
    assert routes().keys() == {*TABLE, DEFAULT_ROUTE}


def test_each_route_has_the_access_rule_of_the_table() -> None:
    decided = {route_key: event["Auth"] for _, route_key, event in http_events()}
    assert decided == {key: auth_of(key, access) for key, access in {**TABLE, DEFAULT_ROUTE: Access.ANYONE}.items()}


def auth_of(route_key: str, access: Access) -> dict[str, Any]:
    """The Auth of a route's event. Cognito puts the name of the resource server before a scope."""
    if access in OPEN:
        return {"Authorizer": "NONE"}
    method, _, path = route_key.partition(" ")
    scopes = [access, *([OF_CUSTOMERS[method, path]] if (method, path) in OF_CUSTOMERS else [])]
    return {"Authorizer": "Tokens", "AuthorizationScopes": [f"{p}{s}" for s in scopes for p in ("", COGNITO_PREFIX)]}


def test_cognito_knows_the_scopes_that_the_routes_need() -> None:
    needed = {*(set(Access) - OPEN), ORDERS_ALL}
    server = template()["Resources"]["ResourceServer"]["Properties"]
    client = template()["Resources"]["MachineClient"]["Properties"]
    assert {scope["ScopeName"] for scope in server["Scopes"]} == needed
    assert set(client["AllowedOAuthScopes"]) == {f"{COGNITO_PREFIX}{scope}" for scope in needed}


def test_the_websites_client_can_only_place_and_read_orders() -> None:
    website = template()["Resources"]["WebsiteClient"]["Properties"]
    scopes = {ORDERS_ALL, Access.ORDERS_WRITE, Access.ORDERS_READ}
    assert set(website["AllowedOAuthScopes"]) == {f"{COGNITO_PREFIX}{scope}" for scope in scopes}
    accepted = template()["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["Tokens"]["JwtConfiguration"][
        "audience"
    ]
    assert accepted["Fn::If"][1][:2] == [{"Ref": "WebsiteClient"}, {"Ref": "MachineClient"}]


def test_a_route_without_an_access_rule_would_require_a_token() -> None:
    auth = template()["Resources"]["Api"]["Properties"]["Auth"]
    assert auth["DefaultAuthorizer"] in auth["Authorizers"]


PAYMENT_RULES = {"PAYMENT_MODE", "PAYMENT_ACCOUNTS", "IGNORED_EVENTS_PER_DAY"}
"""The settings that decide which payments change orders, and how many other events are stored."""

CLAIMS = {"CUSTOMER_CLAIM", "SHOP_CLAIM"}
"""The settings that say whose a token is."""

LIMITS = {
    *("ORDER_LINES_LIMIT", "ORDER_UNITS_LIMIT", "CUSTOMER_ORDERS_LIMIT", "CUSTOMER_UNITS_LIMIT"),
    "CUSTOMER_DAILY_ORDERS_LIMIT",
}
"""The limits of customers."""

CONSOLE = {"CONSOLE_ISSUER", "CONSOLE_CLIENT_ID", "CONSOLE_SCOPE", "CONSOLE_ORIGINS"}
"""The settings that say where staff sign in to the console."""

PENDING_DAYS = {"PAYMENT_PENDING_DAYS", "REFUND_PENDING_DAYS"}
"""The settings that decide what the reconciliation lists."""


@pytest.mark.parametrize("function", sorted(set(routes().values())))
def test_a_function_handles_its_routes_in_the_template(function: str) -> None:
    app = load_function(folder_name(function)).app
    handled = {
        f"{route.method} {route.path}".replace("<", "{").replace(">", "}")
        for route in app._static_routes + app._dynamic_routes
    }
    # The function handles HEAD as GET.
    handled |= {key.replace("GET ", "HEAD ") for key in handled if key.startswith("GET ")}
    assert handled == {key for key, name in routes().items() if name == function and key != DEFAULT_ROUTE}


def test_every_folder_of_a_function_is_in_the_template() -> None:
    named = {folder_name(name) for name in resources("AWS::Serverless::Function", "AWS::Lambda::Function")}
    assert {path.name for path in (ROOT / "functions").iterdir()} == named


def test_a_function_gets_only_the_settings_that_it_reads() -> None:
    given = {name: set(one.get("Environment", {}).get("Variables", {})) for name, one in functions().items()}
    assert set(template()["Globals"]["Function"]["Environment"]["Variables"]) == {"DATABASE_URL", "METRICS_NAMESPACE"}
    assert given == {
        "ProductsFunction": {"CONFIGURATION", "CURSOR_KEY", "CURRENCY", "AUTH", *CLAIMS, "READ_DATABASE_URL"},
        "OrdersFunction": {
            *("CONFIGURATION", "CURSOR_KEY", "CURRENCY", "AUTH", *CLAIMS, *LIMITS),
            *("ORDER_TIME_TO_LIVE_MINUTES", "CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES", "QUEUE_SLOTS"),
        },
        "WebhookFunction": {"CONFIGURATION", *PAYMENT_RULES, "WEBHOOK_SECRET_ID", "SECRETS_MANAGER_ENDPOINT"},
        "PaymentsFunction": {"CONFIGURATION", "CURSOR_KEY", "CURRENCY", *PAYMENT_RULES, *PENDING_DAYS, "AUTH", *CLAIMS},
        "DocsFunction": {"CONFIGURATION", "AUTH", "CURRENCY", *CONSOLE},
        "FallbackFunction": {"CONFIGURATION"},
        "ExpireOrdersFunction": {
            *("CONFIGURATION", "ORDER_TIME_TO_LIVE_MINUTES", "WEBHOOK_SILENCE_HOURS"),
            *("PAYMENT_BODY_RETENTION_DAYS", "IGNORED_BODY_RETENTION_DAYS"),
        },
        "AuditFunction": {"CONFIGURATION"},
        "MigrateFunction": {"APP_ROLE", "DATABASE_URL", "CURRENCY", "ORDER_TIME_TO_LIVE_MINUTES"},
    }


def test_http_functions_time_out_before_api_gateway() -> None:
    limit = template()["Globals"]["Function"]["Timeout"]
    assert limit < 30
    slower = {name for name, one in functions().items() if one.get("Timeout", limit) > limit}
    assert slower & set(routes().values()) == set()


def test_inner_timeouts_are_shorter_than_outer_ones() -> None:
    # Two attempts, each with the role's credentials.
    secrets_manager = 2 * (iam.CREDENTIALS_TIMEOUT + secret.TIMEOUT)
    # A call that is repeated, and then connects again.
    database = db.RETRY_WITHIN + db.CONNECT_TIMEOUT + db.RESPONSE_TIMEOUT
    assert secrets_manager + database < template()["Globals"]["Function"]["Timeout"]
    # A read of products first asks the replica.
    assert db.CONNECT_TIMEOUT + replica.RESPONSE_TIMEOUT + database < template()["Globals"]["Function"]["Timeout"]
    assert sockets.LOSS_TIMEOUT < db.RETRY_WITHIN
    assert db.CONNECT_TIMEOUT < db.RETRY_WITHIN
    migrate, deployment = load_function("migrate"), load_function("deployment")
    assert functions()["MigrateFunction"]["Timeout"] > migrate.PATIENCE + db.CONNECT_TIMEOUT + migrate.RESPONSE_TIMEOUT
    run, report, readiness = deployment.migrations, deployment.report, deployment.migrations.readiness
    assert functions()["MigrateFunction"]["Timeout"] < run.RESPONSE_TIMEOUT
    hook = resources("AWS::Lambda::Function")["DeploymentFunction"]["Timeout"]
    # Two calls of CloudFormation, and pauses of 1 and 2 seconds between the reports.
    migrating = readiness.TIMEOUT + readiness.PAUSE + run.CONNECT_TIMEOUT + run.RESPONSE_TIMEOUT
    assert migrating + 2 * (3 + 5) + report.ATTEMPTS * report.TIMEOUT + 3 < hook
    for waits in resources("Custom::Preconditions", "Custom::SchemaMigration", "Custom::Budget").values():
        assert hook < waits["ServiceTimeout"]
    connecting = load_function("audit").PATIENCE + db.CONNECT_TIMEOUT
    assert functions()["AuditFunction"]["Timeout"] > connecting + audit.RESPONSE_TIMEOUT
    expiry = load_function("expire_orders")
    assert expiry.TIME_FOR_A_BATCH > (db.CONNECT_TIMEOUT + db.RESPONSE_TIMEOUT) * 1000
    assert functions()["ExpireOrdersFunction"]["Timeout"] > expiry.PATIENCE + 2 * expiry.TIME_FOR_A_BATCH / 1000


@pytest.mark.usefixtures("sam_environment")
def test_sam_validate_finds_no_error() -> None:
    result = subprocess.run(["sam", "validate", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_logs_are_kept_longer_than_backups(environment: str) -> None:
    # After a restore, the log says which erasures of personal data to repeat.
    settings = settings_of(environment)
    assert int(settings["LogRetentionDays"]) > int(settings["DatabaseBackupDays"])


def test_a_rule_refuses_logs_that_are_not_kept_longer_than_backups() -> None:
    parameters, rules = template()["Parameters"], template()["Rules"].values()
    allowed = {
        rule["RuleCondition"]["Fn::And"][0]["Fn::Equals"][1]: rule["Assertions"][0]["Assert"]["Fn::Contains"]
        for rule in rules
        if "LogRetentionDays" in str(rule.get("RuleCondition"))
    }
    longest = parameters["DatabaseBackupDays"]["MaxValue"]
    assert allowed == {
        str(days): [[str(backup) for backup in range(1, days)], {"Ref": "DatabaseBackupDays"}]
        for days in parameters["LogRetentionDays"]["AllowedValues"]
        if days <= longest
    }


@pytest.mark.parametrize("group", ["DatabaseParameters", "DatabaseInstanceParameters"])
def test_the_log_of_the_database_has_no_errors_and_no_parameters(group: str) -> None:
    parameters = template()["Resources"][group]["Properties"]["Parameters"]
    assert parameters["rds.force_ssl"] == 1
    assert {name: value for name, value in parameters.items() if name.startswith("log_")} == {
        "log_min_messages": "log",
        "log_error_verbosity": "terse",
        "log_min_duration_statement": -1,
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
    }
