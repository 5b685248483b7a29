"""Simulate a payment processor: send signed events to a webhook, and show the responses.

python -m local.webhook_simulator paid b0000000-0000-4000-8000-000000000001
"""

import argparse
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from rich.console import Console

from local.delivery import Delivery, MakeDelivery, as_api_gateway_event, deliver, results_table, total_of
from local.payment_events import KINDS, Event
from local.settings import DEFAULT_PORT
from local.signing import SCHEMES, secrets, sign
from storefront.payments import values

STALE = 301
"""Seconds. The webhook accepts timestamps that are at most 300 seconds old."""


class Processor:
    """The deliveries of each scenario, for some orders and one scheme."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.scheme: str = options.scheme
        self.keys: list[str] = [options.secret] if options.secret else secrets(os.environ).get(self.scheme, [])
        if not self.keys:
            raise SystemExit(f"No secret for {self.scheme}. Specify one with --secret.")
        self.next_keys: list[str] = [options.next_secret] if options.next_secret else self.keys[1:]
        self.options = options
        # Read once, because `many` sends many events.
        self.total_of = cache(partial(total_of, options.url))
        if options.scenario != "many" and len(options.order) > 1:
            raise SystemExit(f"{options.scenario} takes one order. Only many takes several.")
        try:
            sign(self.scheme, [*self.keys, *self.next_keys], b"", "", 0)
        except ValueError:
            raise SystemExit("A secret of Standard Webhooks must be whsec_ and base64.") from None

    def event(self, status: str, order_id: str | None = None) -> Event:
        options = self.options
        order_id = order_id or options.order[0]
        amount, currency = options.amount, options.currency
        if amount is None and currency is None and (total := self.total_of(order_id)):
            amount, currency = total
        event = Event(order_id, status, amount, currency, options.payment_reference, options.refund_id)
        return replace(event, event_id=options.event_id) if options.event_id else event

    def delivery(
        self, label: str, event: Event, *, age: int = 0, keys: Sequence[str] | None = None, **others: Any
    ) -> Delivery:
        body = event.body(self.scheme)
        headers = sign(self.scheme, keys or self.keys[:1], body, event.event_id, int(time.time()) - age)
        return Delivery(label, {"content-type": "application/json", **headers}, body, **others)

    def one(self, status: str) -> Iterator[MakeDelivery]:
        yield partial(self.delivery, status, self.event(status))

    def duplicated(self) -> Iterator[MakeDelivery]:
        event = self.event("paid")
        yield from (partial(self.delivery, f"paid, delivery {number}", event) for number in (1, 2, 3))

    def reordered(self) -> Iterator[MakeDelivery]:
        failed = self.event("failed")
        yield partial(self.delivery, "paid", self.event("paid"))
        yield partial(self.delivery, "failed, sent first and received last", failed)

    def delayed(self) -> Iterator[MakeDelivery]:
        seconds = self.options.delay
        yield partial(self.delivery, f"paid, {seconds:g} s after it was signed", self.event("paid"), delay=seconds)

    def tampered(self) -> Iterator[MakeDelivery]:
        signed = self.delivery("paid, signed as failed", self.event("failed"), expected=401)
        yield partial(replace, signed, body=self.event("paid").body(self.scheme))

    def stale(self) -> Iterator[MakeDelivery]:
        if self.scheme == "x_signature":
            raise SystemExit("X-Signature has no timestamp, so it cannot be stale. Set SCHEME=stripe.")
        # 30 seconds more for the future timestamp: it would be valid if the delivery took that long.
        for what, age in ((f"{STALE} s old", STALE), (f"{STALE + 30} s in the future", -STALE - 30)):
            yield partial(self.delivery, f"paid, {what}", self.event("paid"), age=age, expected=401)

    def rotated(self) -> Iterator[MakeDelivery]:
        """Signed with the next secret. If the scheme allows several signatures, also with the old one."""
        if not self.next_keys:
            raise SystemExit("No second secret. Specify one with --next-secret.")
        keys = [*self.next_keys, *self.keys[:1]]
        yield partial(self.delivery, "paid, signed with the next secret", self.event("paid"), keys=keys)

    def many(self) -> Iterator[MakeDelivery]:
        """Random events for all orders, each delivered 1 to 5 times, in random order."""
        chance = random.Random(self.options.seed)  # noqa: S311  Not used for cryptography.
        statuses = chance.choices(["paid", "failed"], k=self.options.count)
        events = [self.event(status, chance.choice(self.options.order)) for status in statuses]
        deliveries = [event for event in events for _ in range(chance.randint(1, 5))]
        chance.shuffle(deliveries)
        yield from (partial(self.delivery, event.status, event) for event in deliveries)


SCENARIOS: dict[str, Callable[[Processor], Iterator[MakeDelivery]]] = {
    **{status: partial(Processor.one, status=status) for status in KINDS},
    **{
        name: getattr(Processor, name)
        for name in ("duplicated", "reordered", "delayed", "tampered", "stale", "rotated", "many")
    },
}


def main(arguments: list[str]) -> int:
    """Deliver the events. Return 0 if every response has the expected status, or 1."""
    options = _parser().parse_args(arguments)
    deliveries = list(SCENARIOS[options.scenario](Processor(options)))
    if options.print_event:
        print(as_api_gateway_event(deliveries[0]()))
        return 0
    workers = options.workers if options.scenario == "many" else 1
    console = Console()
    responses = deliver(options.url, deliveries, workers, console)
    console.print(results_table(responses))
    if all(response.status is None for _, response in responses):
        print("Is `make run` running? For another port, set URL=http://127.0.0.1:PORT.", file=sys.stderr)
    return 0 if all(response.status == delivery.expected for delivery, response in responses) else 1


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as http://127.0.0.1:3000")
    return text


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)


def _amount(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,2})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount such as 29.00")
    return text


def _uuid(text: str) -> str:
    if values.uuid(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a UUID")
    return text


def _at_least_one(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m local.webhook_simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("order", nargs="+", help="the order's ID; the scenario `many` accepts several IDs")
    here = f"http://127.0.0.1:{os.environ.get('PORT') or DEFAULT_PORT}"
    parser.add_argument("--url", type=_url, default=here, help="the webhook's URL; default: %(default)s")
    parser.add_argument("--scheme", choices=SCHEMES, default=SCHEMES[0])
    parser.add_argument(
        "--secret", help="the secret to sign with; default: from the environment, or that of `make run`"
    )
    parser.add_argument("--next-secret", help="the secret of the scenario rotated")
    parser.add_argument(
        "--amount", type=_amount, help="such as 29.00; default: the order's total, if it can be read without a token"
    )
    parser.add_argument(
        "--currency", type=str.upper, help="such as USD; with --scheme stripe, the amount is sent in its minor unit"
    )
    parser.add_argument(
        "--event-id", help="the event's ID, to correct an event that was sent before; default: a new ID"
    )
    parser.add_argument("--payment-reference", help="the processor's ID of the payment; default: the event has none")
    parser.add_argument(
        "--refund-id",
        type=_uuid,
        help="for refunded and refund_failed: Storefront's ID of the refund; default: the event has none",
    )
    parser.add_argument("--delay", type=_seconds, default=5.0, help="seconds, for delayed; default: %(default)s")
    parser.add_argument(
        "--count", type=_at_least_one, default=100, help="number of events, for many; default: %(default)s"
    )
    parser.add_argument(
        "--workers", type=_at_least_one, default=8, help="concurrent requests, for many; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, help="for many: a number that repeats the same choices")
    parser.add_argument(
        "--print-event", action="store_true", help="print the event for `sam local invoke` instead of sending it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
