"""Set up the database: the schema and the sample data."""

import json
from contextlib import closing
from pathlib import Path

from local.lambdas import LambdaRunner
from storefront import db

SAMPLE_DATA = Path(__file__).with_name("sample_data.sql")


def migrate(runner: LambdaRunner) -> list[str]:
    """Update the schema with the function that AWS uses, and return the names of the applied files.

    Raises InvocationError.
    """
    applied: list[str] = json.loads(runner.call("MigrateFunction", "{}"))["applied"]
    return applied


def load_sample_data(database_url: str) -> bool:
    """Load the sample data if the database never had a product, and return whether it did. All of it or nothing."""
    with closing(db.connect(database_url)) as connection:
        # Deleted products count: a shop whose owner deleted all products stays empty.
        if connection.run("SELECT FROM products LIMIT 1"):
            return False
        # Several statements in one message run in one transaction.
        connection.run(SAMPLE_DATA.read_text(encoding="utf-8"))
        return True
