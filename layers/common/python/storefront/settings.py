"""What the environment says. Read when asked for and not at import, so that a test can change it."""

import os
import re


def database_url() -> str:
    """Where PostgreSQL is, as a libpq URI: postgresql://user:password@host:port/name?host=/socket/folder."""
    return os.environ["DATABASE_URL"]


def app_role() -> str | None:
    """Whom the functions sign in to the database as, where that is not the owner; None where it is."""
    return os.environ.get("APP_ROLE") or None


def webhook_secret_id() -> str:
    """Name or ARN of the Secrets Manager secret that holds the webhook's keys; empty where none is configured."""
    return os.environ.get("WEBHOOK_SECRET_ID", "")


def cursor_key() -> bytes:
    """What the cursors of the lists are authenticated with; all it protects is their form."""
    return os.environ["CURSOR_KEY"].encode()


def currency() -> str:
    """What the shop's prices are in: an ISO 4217 code, in capitals."""
    return os.environ["CURRENCY"]


def metrics_namespace() -> str:
    """Where metrics are counted: another one for each stack of an account."""
    return os.environ.get("METRICS_NAMESPACE", "Storefront")


def auth_is_on() -> bool:
    """Whether routes ask for tokens. Only the word "off" opens them, which a laptop's stack says."""
    return os.environ.get("AUTH") != "off"


def order_time_to_live() -> int:
    """Minutes that an order may stay pending and unpaid; 0 for ever. Raises ValueError where it is no such number."""
    text = os.environ["ORDER_TIME_TO_LIVE_MINUTES"]
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise ValueError(f"ORDER_TIME_TO_LIVE_MINUTES should be a number from 0 to 9999999, and is {text!r}")
    return int(text)


def secrets_manager_endpoint() -> str:
    """Where Secrets Manager is: https://host, or http://host:port on a laptop."""
    return os.environ["SECRETS_MANAGER_ENDPOINT"]
