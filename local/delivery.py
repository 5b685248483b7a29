"""Deliver signed events to a webhook, and show the responses."""

import http.client
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http import HTTPStatus
from statistics import quantiles
from typing import Any
from urllib.parse import quote, urlsplit

from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

PATH = "/api/payment-webhook"
TIMEOUT = 30.0
"""Seconds. API Gateway's own timeout is 30."""
MAX_LISTED = 40
"""Deliveries. If there are more, they are counted and not listed, and a progress bar is shown."""


@dataclass(frozen=True)
class Delivery:
    """A request to send, with the expected status and a label for people.

    delay: seconds between signing and sending.
    """

    label: str
    headers: Mapping[str, str]
    body: bytes
    expected: int = 200
    delay: float = 0.0


@dataclass(frozen=True)
class Response:
    status: int | None
    text: str
    milliseconds: float

    def summary(self) -> str:
        """Return the outcome, or the problem's detail, or the whole body."""
        try:
            document = json.loads(self.text)
            return str(document.get("outcome") or document.get("detail") or document)
        except (ValueError, AttributeError):
            return self.text


MakeDelivery = Callable[[], Delivery]
"""Signs and returns a delivery. Called just before sending, because signatures expire after five minutes."""


def send(url: str, make: MakeDelivery) -> tuple[Delivery, Response]:
    """Send a delivery. Without a response, the text is the reason and the status is None."""
    delivery = make()
    time.sleep(delivery.delay)
    started = time.perf_counter()
    status: int | None = None
    try:
        path = urlsplit(url).path.rstrip("/") or PATH
        status, text = _request(url, "POST", path, delivery.body, delivery.headers)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"no response from {url}: {reason or type(error).__name__}"
    return delivery, Response(status, text, (time.perf_counter() - started) * 1000)


def total_of(url: str, order_id: str) -> tuple[str, str] | None:
    """Return the total and the currency of an order, or None if it cannot be read without a token."""
    stage = urlsplit(url).path.rstrip("/").removesuffix(PATH)
    try:
        status, text = _request(url, "GET", f"{stage}/api/orders/{quote(order_id, safe='')}")
    except (OSError, http.client.HTTPException):
        return None
    if status != HTTPStatus.OK:
        return None
    order = json.loads(text)
    return order["total_price"], order["currency"]


def _request(
    url: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    address = urlsplit(url)
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = connect(address.netloc, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def as_api_gateway_event(delivery: Delivery) -> str:
    """Return the delivery as an event for `sam local invoke WebhookFunction -e -`."""
    request = {"method": "POST", "path": PATH, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    route = f"POST {PATH}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request["path"],
        "rawQueryString": "",
        "headers": dict(delivery.headers),
        "requestContext": {"http": request, "requestId": str(uuid.uuid4()), "routeKey": route, "stage": "$default"},
        "body": delivery.body.decode(),
        "isBase64Encoded": False,
    }
    return json.dumps(event, indent=2)


def deliver(
    url: str, deliveries: Sequence[MakeDelivery], workers: int, console: Console
) -> list[tuple[Delivery, Response]]:
    """Send all deliveries: several at once, or with one worker in their order."""
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(send, url, make) for make in deliveries]
        done = as_completed(futures) if workers > 1 else futures
        return [one.result() for one in _progress(done, console, len(futures))]


def _progress(done: Iterable[Any], console: Console, total: int) -> Iterable[Any]:
    return track(done, "Delivering", total, console=console, disable=total <= MAX_LISTED)


def results_table(responses: list[tuple[Delivery, Response]]) -> Table:
    """Return a table of the responses. If there are many, it counts them."""
    if len(responses) > MAX_LISTED:
        table = Table("Sent", "Status", "Response", "Times")
        counted = Counter((one.label, str(response.status), response.summary()) for one, response in responses)
        for row, times in sorted(counted.items()):
            table.add_row(*row, str(times))
        slowest = quantiles([response.milliseconds for _, response in responses], n=100)
        table.title = f"{len(responses)} deliveries; median {slowest[49]:.0f} ms, 99th percentile {slowest[98]:.0f} ms"
        table.title_justify = "left"
        table.min_width = len(table.title)
        return table
    table = Table("Sent", "Status", "Response", Column("ms", justify="right", min_width=6))
    for delivery, response in responses:
        table.add_row(delivery.label, str(response.status), response.summary(), f"{response.milliseconds:.0f}")
    return table
