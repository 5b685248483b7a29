"""The shop that the stack serves: its schema, and something to sell."""

import json
from contextlib import closing
from pathlib import Path

from local.lambdas import LambdaRunner
from storefront import db

SAMPLE_DATA = Path(__file__).with_name("sample_data.sql")


def migrate(runner: LambdaRunner) -> list[str]:
    """Bring the schema up to date, by the function that does so when deployed; the files applied.

    Raises InvocationError.
    """
    applied: list[str] = json.loads(runner.call("MigrateFunction", "{}"))["applied"]
    return applied


def load_sample_data(database_url: str) -> bool:
    """Fill a shop that never had a product; whether it was one. All of the data or, where that fails, none."""
    with closing(db.connect(database_url)) as connection:
        # Deleted products count: a shop that was emptied on purpose stays empty.
        if connection.run("SELECT FROM products LIMIT 1"):
            return False
        # Several statements in one message are one transaction.
        connection.run(SAMPLE_DATA.read_text(encoding="utf-8"))
        return True
