"""The settings of the stack, from environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from local.signing import secrets

ROOT = Path(__file__).parent.parent
DEFAULT_DATA_DIR = ROOT / ".local"
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = "3000"
MAX_PORT = 65535
LOCAL_CURSOR_KEY = "local-only-not-a-secret"


SHOP_SETTINGS = {
    "CURRENCY": ("[A-Z]{3}", "three capital letters, such as USD"),
    "ORDER_TIME_TO_LIVE_MINUTES": ("[0-9]{1,7}", "a number from 0 to 9999999"),
    "CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES": ("[0-9]{1,7}", "a number from 0 to 9999999"),
    "ORDER_LINES_LIMIT": ("[1-9][0-9]?|100", "a number from 1 to 100"),
    "ORDER_UNITS_LIMIT": ("[1-9][0-9]{0,8}", "a number from 1 to 999999999"),
    "CUSTOMER_ORDERS_LIMIT": ("[1-9][0-9]{0,2}|1000", "a number from 1 to 1000"),
    "CUSTOMER_DAILY_ORDERS_LIMIT": ("[1-9][0-9]{0,2}|1000", "a number from 1 to 1000"),
    "CUSTOMER_UNITS_LIMIT": ("[1-9][0-9]{0,8}", "a number from 1 to 999999999"),
    "QUEUE_SLOTS": ("[1-9][0-9]{0,2}|1000", "a number from 1 to 1000"),
    "WEBHOOK_SILENCE_HOURS": ("[0-9]{1,3}", "a number from 0 to 999"),
    "PAYMENT_MODE": ("any|live|test", "any, live or test"),
    "PAYMENT_ACCOUNTS": (r"[^,\s]+(,[^,\s]+)*", "names separated by commas without spaces"),
    "PAYMENT_PENDING_DAYS": ("[0-9]{1,3}", "a number from 0 to 999"),
    "REFUND_PENDING_DAYS": ("[0-9]{1,3}", "a number from 0 to 999"),
    "PAYMENT_BODY_RETENTION_DAYS": ("[0-9]{1,5}", "a number from 0 to 99999"),
    "IGNORED_BODY_RETENTION_DAYS": ("[0-9]{1,5}", "a number from 0 to 99999"),
    "IGNORED_EVENTS_PER_DAY": ("[0-9]{1,7}", "a number from 0 to 9999999"),
}
"""The functions' variables for which `make run` accepts another value than the template's default, with their form."""


class StartError(Exception):
    """The reason why the stack cannot start, in one sentence."""


@dataclass(frozen=True)
class Settings:
    """The settings of the stack.

    port: 0 selects any free port.
    database_url: if empty, an embedded server is used.
    shop: the variables of SHOP_SETTINGS that were set.
    auth: whether routes require tokens.
    json_log: whether the terminal shows the log as Lambda writes it.
    """

    port: int
    data_dir: Path
    database_url: str
    webhook_secrets: Mapping[str, list[str]]
    shop: Mapping[str, str]
    template: Path
    auth: bool
    json_log: bool


APP_ROLE = "storefront_app"
"""The functions' role in the embedded database. It cannot change the schema."""

EVERY_FUNCTION = "Parameters"
"""SAM CLI's name for the variables of every function, in the file of its option --env-vars."""


CONSOLE_CLIENT_ID = "console"
CONSOLE_SCOPE = "openid catalog:write orders:all orders:read orders:manage"
"""The scopes that the staff console requests when somebody signs in."""


def function_variables(
    settings: Settings, database_url: str, aws_url: str, issuer_url: str = ""
) -> dict[str, dict[str, str]]:
    """Return the environment variables of all functions, and those of single functions. They override the template's.

    database_url: the owner's. In the developer's own database, the functions are the owner too.
    issuer_url: of the issuer with which the staff console signs in. Empty if routes require no tokens.
    """
    separate = not settings.database_url
    every = {
        "DATABASE_URL": as_role(database_url, APP_ROLE) if separate else database_url,
        "SECRETS_MANAGER_ENDPOINT": aws_url,
        "AUTH": "on" if settings.auth else "off",
        "CURSOR_KEY": LOCAL_CURSOR_KEY,
        **settings.shop,
    }
    migrate = {"DATABASE_URL": database_url, "APP_ROLE": APP_ROLE if separate else ""}
    console = {
        "CONSOLE_ISSUER": issuer_url,
        "CONSOLE_CLIENT_ID": CONSOLE_CLIENT_ID,
        "CONSOLE_SCOPE": CONSOLE_SCOPE,
        "CONSOLE_ORIGINS": "",
    }
    variables = {EVERY_FUNCTION: every, "MigrateFunction": migrate}
    return {**variables, "DocsFunction": console} if issuer_url else variables


def as_role(url: str, role: str) -> str:
    """Return the URL of the same database for another role, which needs no password."""
    address = urlsplit(url)
    return urlunsplit(address._replace(netloc=f"{role}@{address.netloc.rpartition('@')[2]}"))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. An empty variable counts as not set. Raises StartError."""
    return Settings(
        port=_port(environment.get("PORT") or DEFAULT_PORT),
        data_dir=Path(environment.get("DATA_DIR") or DEFAULT_DATA_DIR).resolve(),
        database_url=environment.get("DATABASE_URL", ""),
        webhook_secrets=secrets(environment),
        shop=_shop(environment),
        auth=_is_on(environment.get("AUTH") or "off"),
        template=Path(environment.get("TEMPLATE") or ROOT / "template.yaml").resolve(),
        json_log=_is_json(environment.get("LOG") or "text"),
    )


def _is_on(text: str) -> bool:
    if text in ("on", "off"):
        return text == "on"
    raise StartError(f"AUTH must be on or off, not {text!r}.")


def _is_json(text: str) -> bool:
    if text in ("json", "text"):
        return text == "json"
    raise StartError(f"LOG must be json or text, not {text!r}.")


def _shop(environment: Mapping[str, str]) -> dict[str, str]:
    chosen = {name: environment[name] for name in SHOP_SETTINGS if environment.get(name)}
    for name, text in chosen.items():
        form, words = SHOP_SETTINGS[name]
        if not re.fullmatch(form, text):
            raise StartError(f"{name} must be {words}, not {text!r}.")
    return chosen


def _port(text: str) -> int:
    # int() fails on thousands of digits.
    if re.fullmatch(r"[0-9]{1,5}", text) and int(text) <= MAX_PORT:
        return int(text)
    raise StartError(f"PORT must be a number from 0 to {MAX_PORT}, not {text!r}.")
