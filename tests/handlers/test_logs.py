"""Logs contain no client data and no secrets."""

import json
import logging

import pytest

from storefront.log import logger
from storefront.payments.keyring import Keyring
from tests.api_client import ApiClient, api_event, lambda_context, load_function
from tests.secret_leaks import CANARY, SECRET, send_markers


def log_output(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    """Everything that this process has logged so far."""
    captured = capsys.readouterr()
    return captured.out + captured.err + caplog.text + "".join(repr(vars(record)) for record in caplog.records)


def statuses(caplog: pytest.LogCaptureFixture) -> set[int]:
    return {vars(record)["status"] for record in caplog.records if record.message == "request"}


def test_no_body_secret_or_signature_is_logged_even_at_debug_level(
    api: ApiClient,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load_function("webhook"), "keyring", Keyring(lambda: json.dumps({"x_signature": [SECRET]})))
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "storefront")
    secrets = send_markers(api)
    assert statuses(caplog) >= {200, 201, 400, 401, 404, 413, 422}
    found = log_output(capsys, caplog)
    assert [word for word in secrets if word in found] == []


def test_the_database_password_is_not_logged(
    api: ApiClient,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for url in (
        f"postgresql://somebody:{CANARY}@127.0.0.1:1/x?sslmode=disable",
        f"postgresql://somebody:{CANARY}@127.0.0.1:not-a-port/x",
        f"postgres+other://somebody:{CANARY}@127.0.0.1/x",
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        assert api.get("/api/products").status in (500, 503)
    assert statuses(caplog) == {500, 503}
    assert CANARY not in log_output(capsys, caplog)


@pytest.mark.usefixtures("api")
def test_a_log_line_has_no_characters_that_a_terminal_obeys_or_nobody_sees(caplog: pytest.LogCaptureFixture) -> None:
    event = api_event("GET", "/", None, {})
    event["rawPath"] = "/é\x1b[2J\x7f\x85\x9b\u200e\u202e\u2066\u2028\ufeff\U000e0001\ud800"
    load_function("fallback").lambda_handler(event, lambda_context())
    line = logger.registered_handler.format(caplog.records[-1])
    assert line.isprintable()
    assert json.loads(line)["path"] == event["rawPath"]
    assert "/é" in line
