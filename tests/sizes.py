"""How much the tests do that search for faults with random choices. `--search` chooses: quick, full or long."""

import os
from typing import NamedTuple

SEED = int(os.environ.get("TEST_SEED") or 0)
"""The seed of random choices, to repeat a run. Hypothesis has its own --hypothesis-seed."""

search = "quick"
"""The value of --search. It is set before the tests are imported."""


class Size(NamedTuple):
    """How much a test does of something: in `make test`, in CI, and in `make test-long`."""

    what: str
    quick: int
    full: int
    long: int

    @property
    def chosen(self) -> int:
        return int(getattr(self, search))


# CONTRIBUTING.md has the same table.
SEQUENCES = Size("Sequences of 50 requests, compared with a model", 60, 300, 5_000)
DELIVERED_EVENTS = Size("Payment events, each delivered up to five times by 16 clients", 2_000, 10_000, 10_000)
MONEY_DELIVERIES = Size(
    "Deliveries of events about the payments, refunds and disputes of a tenth as many orders", 1_000, 10_000, 100_000
)
LAST_UNITS = Size("Last units that 64 clients order at the same time", 15, 50, 2_000)
TRADES = Size("Orders, cancellations and payments of each of 8 clients", 40, 100, 10_000)
REFUND_MIXES = Size("Sequences of 14 changes of refunds, compared with an emulation of Stripe", 3, 10, 500)
KILLS = Size("Killed clients, while four of them send requests", 5, 20, 200)
ENDED_SESSIONS = Size("Ended database sessions, while four clients send requests", 5, 20, 200)
RESTARTS = Size("Restarts of PostgreSQL, while four clients send requests", 1, 2, 10)
WEBHOOK_REQUESTS = Size("Headers and bodies of the webhook", 500, 5_000, 100_000)
EVENT_BODIES = Size("Bodies of payment events", 500, 2_000, 100_000)
SIGNATURE_HEADERS = Size("Headers, compared with each library that checks signatures", 300, 2_000, 50_000)
REQUESTS = Size("Requests for each operation, from the OpenAPI description", 8, 25, 25)
STORIES = Size("Sequences of linked requests, from the OpenAPI description", 150, 150, 150)
UPGRADED_ORDERS = Size(
    "Orders in a database that is upgraded while four clients place orders", 5_000, 20_000, 1_000_000
)
SEARCHED_PRODUCTS = Size("Products that a search can meet, with names that make it slow", 100_000, 1_000_000, 1_000_000)
ATTACK_SECONDS = Size("Seconds of attacks on a shop", 3, 10, 120)
