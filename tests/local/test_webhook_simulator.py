"""The webhook simulator, with and without a running stack."""

import json
import os
import re
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Any

import pytest

from local.payment_events import Event
from local.signing import SCHEMES
from storefront.payments.providers import read_event
from storefront.payments.signatures import Scheme
from tests.api_client import ROOT, UNKNOWN, ApiClient, over_http
from tests.local.stack import Stack

LAYER = ROOT / "layers" / "common" / "python"
SCENARIOS = {
    "paid": ["applied"],
    "failed": ["applied"],
    "refunded": ["ignored"],
    "refund_failed": ["ignored"],
    "disputed": ["ignored"],
    "dispute_won": ["ignored"],
    "dispute_lost": ["ignored"],
    "duplicated": ["applied", "duplicate", "duplicate"],
    "reordered": ["applied", "ignored"],
    "delayed": ["applied"],
    "tampered": [],
    "stale": [],
    "rotated": ["applied"],
}
"""The outcomes in the order's timeline, by scenario."""


@pytest.fixture
def api(stack: Stack) -> ApiClient:
    return ApiClient(over_http(stack.url))


@pytest.fixture
def order(api: ApiClient) -> dict[str, Any]:
    return api.order((api.create_product()["id"], 1))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the simulator as a command, with a minimal environment."""
    return subprocess.run(
        [sys.executable, "-m", "local.webhook_simulator", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LAYER), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_gets_the_expected_responses(
    api: ApiClient, stack: Stack, order: dict[str, Any], scenario: str, scheme: str
) -> None:
    result = run(scenario, order["id"], "--url", stack.url, "--scheme", scheme, "--delay", "0.2")
    if (scenario, scheme) == ("stale", "x_signature"):
        assert result.stderr == "X-Signature has no timestamp, so it cannot be stale. Set SCHEME=stripe.\n"
        return
    assert (result.returncode, result.stderr) == (0, "")
    timeline = api.items(f"/api/orders/{order['id']}/events")[1:]
    assert [event["outcome"] for event in timeline] == SCENARIOS[scenario]
    assert all(outcome in result.stdout for outcome in SCENARIOS[scenario])
    assert result.stdout.count("401") == {"tampered": 1, "stale": 2}.get(scenario, 0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_amount_is_sent_in_the_format_of_each_scheme(
    api: ApiClient, stack: Stack, order: dict[str, Any], scheme: str
) -> None:
    for amount, outcome in (("4.51", "needs_review"), ("4.50", "applied")):
        result = run(
            "paid", order["id"], "--url", stack.url, "--scheme", scheme, "--amount", amount, "--currency", "usd"
        )
        assert outcome in result.stdout
    events = api.items("/api/payment-events", order_id=order["id"])
    assert [(event["amount"], event["currency"]) for event in events] == [("4.50", "USD"), ("4.51", "USD")]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_event_reports_the_total_of_its_order_with_its_charges(api: ApiClient, stack: Stack, scheme: str) -> None:
    shipping = {"kind": "shipping", "label": "Parcel", "amount": "4.90"}
    order = api.order((api.create_product()["id"], 1), charges=[shipping])
    assert "applied" in run("paid", order["id"], "--url", stack.url, "--scheme", scheme).stdout
    [event] = api.items("/api/payment-events", order_id=order["id"])
    assert (event["amount"], event["currency"]) == ("9.40", "USD")


def test_an_event_for_an_order_that_cannot_be_read_has_no_amount() -> None:
    result = run("paid", "x y", "--url", "http://127.0.0.1:1/api/payment-webhook", "--print-event")
    assert result.returncode == 0, result.stderr
    assert "amount" not in json.loads(json.loads(result.stdout)["body"])


@pytest.mark.parametrize("named", [None, "00000000-0000-4000-8000-000000000000"])
def test_money_without_a_known_order_is_assigned_to_an_order(
    api: ApiClient, stack: Stack, order: dict[str, Any], named: str | None
) -> None:
    reference = f"pi_{uuid.uuid4().hex}"
    payment = {"id": reference, "amount": 450, "currency": "usd", "metadata": {"order_id": named}}
    event_id = f"evt_{uuid.uuid4().hex}"
    api.deliver({"id": event_id, "type": "payment_intent.succeeded", "data": {"object": payment}}, "stripe")

    def without_order() -> bool:
        entries = api.items("/api/reconciliation", kind="event_without_order", page_size=100)
        return event_id in {entry["payment_event"]["event_id"] for entry in entries}

    assert without_order()
    options = ["--event-id", event_id, "--payment-reference", reference, "--amount", "4.50", "--currency", "usd"]
    assert "applied" in run("paid", order["id"], "--url", stack.url, "--scheme", "stripe", *options).stdout
    assert not without_order()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_event_has_the_given_id_and_payment_reference(scheme: Scheme) -> None:
    sent = Event(UNKNOWN, "paid", None, None, payment_reference="pi_1", event_id="evt_1")
    event = read_event(scheme, sent.body(scheme)).event
    assert (event.event_id, event.payment_reference) == ("evt_1", "pi_1")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refund_is_reported_as_succeeded(api: ApiClient, stack: Stack, order: dict[str, Any], scheme: str) -> None:
    options = ["--url", stack.url, "--scheme", scheme, "--payment-reference", f"pi_{order['id']}"]
    assert "applied" in run("paid", order["id"], *options).stdout
    refund = api.call("POST", f"/api/orders/{order['id']}/refunds", {"amount": "4.00"}).json
    options += ["--amount", "4.00", "--currency", "USD", "--refund-id", refund["id"]]
    assert "applied" in run("refunded", order["id"], *options).stdout
    [refunded] = api.items(f"/api/orders/{order['id']}/refunds")
    assert (refunded["id"], refunded["status"], refunded["processor_reference"][:3]) == (
        refund["id"],
        "succeeded",
        "re_",
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refund_that_succeeded_fails(api: ApiClient, stack: Stack, order: dict[str, Any], scheme: str) -> None:
    options = ["--url", stack.url, "--scheme", scheme, "--payment-reference", f"pi_{order['id']}"]
    assert "applied" in run("paid", order["id"], *options).stdout
    refund = api.call("POST", f"/api/orders/{order['id']}/refunds", {}).json
    options += ["--refund-id", refund["id"]]
    for scenario in ("refunded", "refund_failed"):
        assert "applied" in run(scenario, order["id"], *options).stdout
    assert [one["status"] for one in api.items(f"/api/orders/{order['id']}/refunds")] == ["failed"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("result", ["won", "lost"])
def test_a_dispute_of_a_payment_is_opened_and_ends(
    api: ApiClient, stack: Stack, order: dict[str, Any], scheme: str, result: str
) -> None:
    options = ["--url", stack.url, "--scheme", scheme, "--payment-reference", f"pi_{order['id']}"]
    assert "applied" in run("paid", order["id"], *options).stdout
    assert "applied" in run("disputed", order["id"], *options).stdout
    assert api.call("POST", f"/api/orders/{order['id']}/refunds", {}).problem() == (409, "payment-disputed")
    assert "applied" in run(f"dispute_{result}", order["id"], *options).stdout
    [payment] = api.items(f"/api/orders/{order['id']}/payments")
    assert [one["status"] for one in payment["disputes"]] == [result]


@pytest.mark.parametrize("currency", ["USD", "JPY", "BHD"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_amount_in_any_currency_is_read_correctly(scheme: Scheme, currency: str) -> None:
    # Stripe sends their hundredths, whole units and thousandths.
    event = read_event(scheme, Event(UNKNOWN, "paid", "450", currency).body(scheme)).event
    assert (event.amount, event.currency) == (Decimal(450), currency)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_many_deliveries_at_once_are_counted_and_consistent(api: ApiClient, stack: Stack, scheme: str) -> None:
    orders = [api.order((api.create_product()["id"], 1))["id"] for _ in range(5)]
    options = ["--count", "30", "--workers", "4", "--seed", "7"]
    result = run("many", *orders, "--url", stack.url, "--scheme", scheme, *options)
    assert (result.returncode, result.stderr) == (0, "")
    assert "deliveries; median" in result.stdout
    for order_id in orders:
        timeline = api.items(f"/api/orders/{order_id}/events", page_size=100)
        effects = [event["received_payment_status"] for event in timeline if event["outcome"] == "applied"]
        assert effects in (["paid"], ["failed", "paid"], ["failed"], [])


def test_an_unknown_order_is_an_unexpected_response(stack: Stack) -> None:
    result = run("paid", "00000000-0000-4000-8000-000000000000", "--url", stack.url)
    assert result.returncode == 1
    assert "404" in result.stdout
    assert "not found" in result.stdout


def test_a_stack_that_does_not_respond_is_reported(order: dict[str, Any]) -> None:
    result = run("paid", order["id"], "--url", "http://127.0.0.1:1")
    assert result.returncode == 1
    assert "no response from http://127.0.0.1:1: Connection refused" in result.stdout
    assert result.stderr == "Is `make run` running? For another port, set URL=http://127.0.0.1:PORT.\n"


def test_port_selects_the_stack_as_in_make_run(stack: Stack, order: dict[str, Any]) -> None:
    assert "applied" in run("paid", order["id"], PORT=stack.url.rpartition(":")[2]).stdout


def test_secrets_come_from_the_environment_or_the_command_line(stack: Stack, order: dict[str, Any]) -> None:
    command = ["paid", order["id"], "--url", stack.url]
    assert "Invalid signature" in run(*command, WEBHOOK_SECRET="guessed").stdout
    assert "Invalid signature" in run(*command, "--secret", "guessed").stdout
    assert "No secret for stripe" in run(*command, "--scheme", "stripe", WEBHOOK_SECRET="guessed").stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: scenario, order"),
        (["stolen", "x"], "invalid choice: 'stolen'"),
        (["paid", "x", "--amount", "1e2"], "'1e2' is not an amount such as 29.00"),
        (["refunded", "x", "--refund-id", "nope"], "'nope' is not a UUID"),
        (["paid", "x", "--url", "127.0.0.1:3000"], "is not a URL such as http://127.0.0.1:3000"),
        (["delayed", "x", "--delay", "-2"], "'-2' is not a number of seconds"),
        (["delayed", "x", "--delay", "nan"], "'nan' is not a number of seconds"),
        (["paid", "x", "y"], "paid takes one order. Only many takes several."),
        (["many", "x", "--workers", "0"], "'0' is not a positive number"),
        (["paid", "x", "--scheme", "standard_webhooks", "--secret", "whsec_x"], "must be whsec_ and base64"),
        (["rotated", "x", "--secret", "x"], "No second secret. Specify one with --next-secret."),
    ],
)
def test_an_invalid_command_is_reported_in_one_sentence(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.returncode != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_description_explains_how_to_act_as_the_processor(stack: Stack) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    description = document["paths"]["/api/payment-webhook"]["post"]["description"]
    commands = re.findall(r"(?s)```sh\n(.+?)```", description)
    environment = {**os.environ, "PORT": stack.url.rpartition(":")[2], "PYTHONPATH": str(LAYER)}
    for command in commands:
        script = command.replace("http://127.0.0.1:3000", stack.url).replace("make", "make --no-print-directory")
        bash = ["bash", "-euo", "pipefail", "-c", script]
        result = subprocess.run(bash, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        # The second command reports a second payment.
        assert re.search("applied|duplicate|needs_refund", result.stdout)
    assert len(commands) == 2
