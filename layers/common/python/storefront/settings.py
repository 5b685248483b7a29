"""The environment variables. They are read on each call, so that tests can change them."""

import os
import re


def database_url() -> str:
    """Return the address of PostgreSQL, a libpq URI: postgresql://user:password@host:port/name?host=/socket/folder."""
    return os.environ["DATABASE_URL"]


def app_role() -> str | None:
    """Return the functions' role in the database, or None if they sign in as the owner."""
    return os.environ.get("APP_ROLE") or None


def webhook_secret_id() -> str:
    """Return the name or ARN of the webhook secret in Secrets Manager, or "" if none is configured."""
    return os.environ.get("WEBHOOK_SECRET_ID", "")


def cursor_key() -> bytes:
    """Return the key that signs cursors. It protects nothing but their form."""
    return os.environ["CURSOR_KEY"].encode()


def currency() -> str:
    """Return the currency of the shop's prices: an ISO 4217 code, in capitals. Raises ValueError."""
    text = os.environ["CURRENCY"]
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(f"CURRENCY should be three capital letters, such as USD, but it is {text!r}")
    return text


def payment_mode() -> str:
    """Return the mode of the payments that change orders: any, live or test. Raises ValueError."""
    text = os.environ["PAYMENT_MODE"]
    if text not in ("any", "live", "test"):
        raise ValueError(f"PAYMENT_MODE should be any, live or test, but it is {text!r}")
    return text


def payment_accounts() -> list[str]:
    """Return the processor's accounts whose payments change orders, or an empty list for all. Raises ValueError."""
    text = os.environ.get("PAYMENT_ACCOUNTS", "")
    if not re.fullmatch(r"([^,\s]+(,[^,\s]+)*)?", text):
        raise ValueError(f"PAYMENT_ACCOUNTS should be names separated by commas without spaces, but it is {text!r}")
    return text.split(",") if text else []


def metrics_namespace() -> str:
    """Return the namespace of the metrics. Each stack of an account has its own."""
    return os.environ.get("METRICS_NAMESPACE", "Storefront")


def auth_is_on() -> bool:
    """Return whether routes require access tokens. Only the exact value "off" turns this off, for `make run`."""
    return os.environ.get("AUTH") != "off"


def order_time_to_live() -> int:
    """Return the minutes after which an unpaid pending order expires, or 0 for never. Raises ValueError."""
    text = os.environ["ORDER_TIME_TO_LIVE_MINUTES"]
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise ValueError(f"ORDER_TIME_TO_LIVE_MINUTES should be a number from 0 to 9999999, but it is {text!r}")
    return int(text)


def payment_pending_days() -> int:
    """Return the days after which the reconciliation lists an order that a payment holds. Raises ValueError."""
    text = os.environ["PAYMENT_PENDING_DAYS"]
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise ValueError(f"PAYMENT_PENDING_DAYS should be a number from 0 to 999, but it is {text!r}")
    return int(text)


def refund_pending_days() -> int:
    """Return the days after which the reconciliation lists an open refund. Raises ValueError."""
    text = os.environ["REFUND_PENDING_DAYS"]
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise ValueError(f"REFUND_PENDING_DAYS should be a number from 0 to 999, but it is {text!r}")
    return int(text)


def payment_body_retention_days() -> int:
    """Return the days after which the bodies of payment events are erased, or 0 for never. Raises ValueError."""
    text = os.environ["PAYMENT_BODY_RETENTION_DAYS"]
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise ValueError(f"PAYMENT_BODY_RETENTION_DAYS should be a number from 0 to 99999, but it is {text!r}")
    return int(text)


def secrets_manager_endpoint() -> str:
    """Return the address of Secrets Manager: https://host, or http://host:port with `make run`."""
    return os.environ["SECRETS_MANAGER_ENDPOINT"]
