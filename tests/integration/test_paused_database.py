"""Scheduled functions wait for a database that is paused, and a missing file does not look like one."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from storefront import db
from storefront.errors import Unavailable
from tests.api_client import lambda_context, load_function
from tests.integration.postgres_proxy import proxy_to

FUNCTIONS = ["expire_orders", "audit"]


def run(function: str) -> Any:
    return load_function(function).lambda_handler({}, lambda_context())


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.usefixtures("api")
def test_a_scheduled_function_waits_for_a_paused_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, function: str
) -> None:
    with TemporaryDirectory() as folder, proxy_to(database_url, Path(folder)) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        proxy.cut = True
        # The database resumes while the function pauses between two attempts.
        monkeypatch.setattr(time, "sleep", lambda _: vars(proxy).update(cut=False))
        run(function)
        db.disconnect()
    assert "The database is not reachable yet" in caplog.text
    assert "ERROR" not in {record.levelname for record in caplog.records}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.usefixtures("api")
def test_the_wait_of_a_scheduled_function_ends(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nowhere")
    monkeypatch.setattr(load_function(function), "PATIENCE", 0.0)
    with pytest.raises((Unavailable, *db.TRANSPORT_ERRORS)):
        run(function)


def test_a_region_without_certificates_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    authorities = "/opt/python/storefront/certificates/rds-mars-north-1.pem"
    monkeypatch.setenv(
        "DATABASE_URL", f"postgresql://storefront_app@db.example:5432/storefront?sslrootcert={authorities}"
    )
    started = time.monotonic()
    with pytest.raises(ValueError, match="rds-mars-north-1"):
        db.primary.wake(60)
    assert time.monotonic() - started < 1
