"""What the payment webhook refuses, from event to response."""

import base64
import json
import time
from collections import Counter
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront.payments.keyring import Keyring
from storefront.payments.secret import fetch_secret
from storefront.payments.signatures import Scheme
from tests.api_client import UNKNOWN, ApiClient, api_event, expect, lambda_context, load_function, signed
from tests.forged_events import forged_events


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_every_forged_event_returns_401(
    api: ApiClient, order: dict[str, Any], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    # With one fixed clock: an event that is 301 s in the future is valid a second later.
    now = int(time.time())
    monkeypatch.setattr(load_function("webhook"), "keyring", Keyring(fetch_secret, clock=lambda: now))
    statuses: Counter[int] = Counter()
    for _, headers, content in forged_events(scheme, body, now):
        event = api_event("POST", "/api/payment-webhook", content, {})
        # Unchanged: some names are in uppercase, or sent twice.
        event["headers"] = {"content-type": "application/json", **headers}
        response = load_function("webhook").lambda_handler(event, lambda_context())
        assert json.loads(response["body"])["detail"] in ("Missing signature", "Invalid signature")
        statuses[response["statusCode"]] += 1
    assert statuses.keys() == {401}
    assert statuses[401] >= 60
    assert api.payment_status(order["id"]) == "unpaid"


def test_the_signature_of_a_base64_body_covers_the_decoded_bytes(order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    headers = {"content-type": "application/json", **signed(body)}
    event = api_event("POST", "/api/payment-webhook", body, headers)
    event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    response = load_function("webhook").lambda_handler(event, lambda_context())
    assert json.loads(response["body"])["outcome"] == "applied"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Missing signature"),
        ({"x-signature": ""}, "Missing signature"),
        ({"x-signature": "0" * 64}, "Invalid signature"),
        ({"x-signature": "not hex"}, "Invalid signature"),
        ({"x-signature": "é" * 64}, "Invalid signature"),
    ],
)
def test_an_event_without_a_valid_signature_returns_401(
    api: ApiClient, order: dict[str, Any], headers: dict[str, str], detail: str
) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    for content in (body, b"not JSON"):
        response = api.call("POST", "/api/payment-webhook", content, headers)
        assert response.problem() == (401, "unauthenticated")
        assert response.json["detail"] == detail
    assert api.payment_status(order["id"]) == "unpaid"


def test_the_cause_of_a_401_is_logged_and_not_returned(
    api: ApiClient, order: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    for headers, cause in (
        ({"x-signature": "0" * 64}, "no valid x_signature secret matches the signature"),
        ({"stripe-signature": "t=1,v1=" + "0" * 64}, "s old"),
    ):
        response = api.call("POST", "/api/payment-webhook", body, headers)
        line = vars(caplog.records[-1])
        assert (line["problem"], line["cause"].endswith(cause)) == ("unauthenticated", True)
        assert response.json["detail"] == "Invalid signature"
        assert "0" * 64 not in str(line)


@pytest.mark.parametrize(
    ("body", "media_type", "detail"),
    [
        (b'{"order_id": "b0", "payment_status": "Paid"}', "application/json", "#/order_id: "),
        (b'{"order_id": ', "application/json", "The body is not JSON. "),
        (b"{}", "text/plain", "Content-Type: application/json"),
    ],
)
def test_a_refused_authentic_event_is_a_warning_with_the_error(
    api: ApiClient, caplog: pytest.LogCaptureFixture, body: bytes, media_type: str, detail: str
) -> None:
    response = api.call("POST", "/api/payment-webhook", body, {**signed(body), "content-type": media_type})
    assert response.status in (400, 415, 422)
    line = vars(caplog.records[-1])
    assert (caplog.records[-1].levelname, line["scheme"]) == ("WARNING", "x_signature")
    assert line["detail"] == response.json["detail"]
    assert detail in line["detail"]


def test_a_body_changed_after_it_was_signed_returns_401(api: ApiClient, order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "failed"}).encode()
    tampered = body.replace(b"failed", b"paid")
    assert api.call("POST", "/api/payment-webhook", tampered, signed(body)).problem() == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", (400, "malformed-body")),
        (b"{", (400, "malformed-body")),
        (b"\xff\xfe{}", (400, "malformed-body")),
        (b"[" * 100_000, (400, "malformed-body")),
        (b"[]", (422, "invalid-request")),
        (b"null", (422, "invalid-request")),
        (b"{}", (422, "invalid-request")),
        (b'{"order_id": "7", "payment_status": "paid"}', (422, "invalid-request")),
        (b'{"order_id": "%s", "payment_status": "unpaid"}' % UNKNOWN.encode(), (422, "invalid-request")),
    ],
)
def test_a_malformed_authentic_event_is_refused(api: ApiClient, body: bytes, problem: tuple[int, str]) -> None:
    assert api.deliver(body).problem() == problem


def event_of_size(order_id: str, size: int) -> bytes:
    """A payment event with so many bytes."""
    start = json.dumps({"order_id": order_id, "payment_status": "paid", "note": ""}).encode()
    return start.replace(b'"note": "', b'"note": "' + b"x" * (size - len(start)))


def test_an_event_can_have_1_mib(
    api: ApiClient, order: dict[str, Any], caplog: pytest.LogCaptureFixture, database: Connection
) -> None:
    too_large = event_of_size(order["id"], 1024 * 1024 + 1)
    assert api.deliver(too_large).problem() == (413, "body-too-large")
    line = vars(caplog.records[-1])
    assert (line["levelname"], line["scheme"]) == ("WARNING", "x_signature")
    assert line["detail"] == "The body has 1048577 bytes. The maximum is 1048576."
    assert database.run("SELECT FROM payment_events") == []
    event = event_of_size(order["id"], 1024 * 1024)
    assert expect(200, api.deliver(event))["outcome"] == "applied"
    assert database.run("SELECT length(body) FROM payment_events") == [[1024 * 1024]]


def test_a_large_event_without_a_signature_returns_401(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"x-signature": "0" * 64}
    response = api.call("POST", "/api/payment-webhook", b" " * (1024 * 1024 + 1), headers)
    assert response.problem() == (401, "unauthenticated")
    assert caplog.records[-1].levelname == "INFO"


def test_without_a_configured_secret_every_event_returns_401(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("webhook"), "keyring", Keyring(fetch_secret))
    monkeypatch.delenv("WEBHOOK_SECRET_ID", raising=False)
    assert api.pay(order["id"]).problem() == (401, "unauthenticated")
    assert api.payment_status(order["id"]) == "unpaid"
