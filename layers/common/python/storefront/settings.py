"""What the environment says. Read when asked for and not at import, so that a test can change it."""

import os


def database_url() -> str:
    """Where PostgreSQL is, as a libpq URI: postgresql://user:password@host:port/name?host=/socket/folder."""
    return os.environ["DATABASE_URL"]


def webhook_secret_id() -> str:
    """Name or ARN of the Secrets Manager secret that holds the webhook's keys; empty where none is configured."""
    return os.environ.get("WEBHOOK_SECRET_ID", "")


def secrets_manager_endpoint() -> str | None:
    """Another address for Secrets Manager, on a laptop; None for AWS's own."""
    return os.environ.get("SECRETS_MANAGER_ENDPOINT") or None
