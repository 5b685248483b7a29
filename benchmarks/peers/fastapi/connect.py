"""Opens and closes a connection with psycopg."""

import os
from typing import Any

import psycopg


def connect(_: dict[str, Any], __: Any) -> dict[str, int]:
    psycopg.connect(os.environ["DATABASE_URL"]).close()
    return {"statusCode": 200}
