"""The environment variables. They are read on each call, so that tests can change them."""

import os
import re

_MAX_INTEGER = 2**31 - 1


def database_url() -> str:
    """Return the address of PostgreSQL, a libpq URI: postgresql://user:password@host:port/name?host=/socket/folder."""
    return os.environ["DATABASE_URL"]


def read_database_url() -> str:
    """Return the address of a replica of the database, or "" if there is none."""
    return os.environ.get("READ_DATABASE_URL", "")


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


def customer_claim() -> str:
    """Return the claim of an access token that has the ID of the customer."""
    return os.environ.get("CUSTOMER_CLAIM") or "customer_id"


def shop_claim() -> str:
    """Return the claim that marks a token of the shop, such as role=staff, or "" if only the scope orders:all does."""
    return os.environ.get("SHOP_CLAIM", "")


def console_issuer() -> str:
    """Return the issuer where the console's users sign in (OpenID Connect), or "" if none is configured."""
    return os.environ.get("CONSOLE_ISSUER", "")


def console_client_id() -> str:
    """Return the ID of the console's client at the issuer."""
    return os.environ.get("CONSOLE_CLIENT_ID", "")


def console_scope() -> str:
    """Return the scopes that the console requests, separated by spaces."""
    return os.environ.get("CONSOLE_SCOPE", "")


def console_origins() -> list[str]:
    """Return the origins that the console may send requests to: those of the issuer. Raises ValueError."""
    origins = [_origin(console_issuer()), *os.environ.get("CONSOLE_ORIGINS", "").split()]
    for origin in filter(None, origins):
        if not re.fullmatch(r"https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|http://127\.0\.0\.1(:[0-9]{1,5})?", origin):
            raise ValueError(f"CONSOLE_ORIGINS should be origins such as https://login.example.com, not {origin!r}")
    return list(filter(None, origins))


def order_time_to_live() -> int:
    """Return the minutes after which an unpaid pending order expires, or 0 if none ever does. Raises ValueError."""
    return _number("ORDER_TIME_TO_LIVE_MINUTES", 9_999_999)


def customer_order_time_to_live() -> int:
    """Return the maximum for an order that a customer's token placed, or 0 for no other maximum. Raises ValueError."""
    return _number("CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES", 9_999_999)


def customer_limits() -> dict[str, int]:
    """Return the limits for orders of customers' tokens. exceeded_limit.sql explains them. Raises ValueError."""
    return {
        "order_lines": _number("ORDER_LINES_LIMIT", 100),
        "order_units": _number("ORDER_UNITS_LIMIT", _MAX_INTEGER),
        "customer_orders": _number("CUSTOMER_ORDERS_LIMIT", 1000),
        "daily_orders": _number("CUSTOMER_DAILY_ORDERS_LIMIT", 1000),
        "customer_units": _number("CUSTOMER_UNITS_LIMIT", _MAX_INTEGER),
    }


def queue_slots() -> int:
    """Return how many orders may wait for one product. Raises ValueError.

    Each occupies a connection and an execution. PostgreSQL places 64 orders in a tenth of a second.
    """
    return _number("QUEUE_SLOTS", 1000)


def webhook_silence_hours() -> int:
    """Return the hours without a payment event after which orders expire a day later, or 0 for never.

    Raises ValueError.
    """
    return _number("WEBHOOK_SILENCE_HOURS", 999)


def payment_pending_days() -> int:
    """Return the days after which the reconciliation lists an order that a payment holds. Raises ValueError."""
    return _number("PAYMENT_PENDING_DAYS", 999)


def refund_pending_days() -> int:
    """Return the days after which the reconciliation lists an open refund. Raises ValueError."""
    return _number("REFUND_PENDING_DAYS", 999)


def payment_body_retention_days() -> int:
    """Return the days after which the bodies of payment events are erased, or 0 for never. Raises ValueError."""
    return _number("PAYMENT_BODY_RETENTION_DAYS", 99_999)


def ignored_body_retention_days() -> int:
    """Return the same for events of types that are not handled. Raises ValueError."""
    return _number("IGNORED_BODY_RETENTION_DAYS", 99_999)


def ignored_events_per_day() -> int:
    """Return how many events of types that are not handled are stored in a day. Raises ValueError."""
    return _number("IGNORED_EVENTS_PER_DAY", 9_999_999)


def secrets_manager_endpoint() -> str:
    """Return the address of Secrets Manager: https://host, or http://host:port with `make run`."""
    return os.environ["SECRETS_MANAGER_ENDPOINT"]


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _number(name: str, maximum: int) -> int:
    text = os.environ[name]
    if not re.fullmatch(f"[0-9]{{1,{len(str(maximum))}}}", text) or int(text) > maximum:
        raise ValueError(f"{name} should be a number from 0 to {maximum}, but it is {text!r}")
    return int(text)
