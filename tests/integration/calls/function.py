"""What the tests need to know of an SQL function that Python calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.integration.calls.requests import Prepare
from tests.integration.races import Call
from tests.integration.snapshots import Changes

UNAVAILABLE = "503 unavailable"


class Rows(NamedTuple):
    """The IDs of the rows that calls refer to."""

    product: str
    other_product: str
    order: str
    payment_event: str
    payment: str
    payment_reference: str
    refund: str


@dataclass(frozen=True)
class Page:
    """A page of a list, and the index that returns its rows in the list's order.

    position: the columns of the cursor, and the table they are in. The last one is unique.
    is_sorted: whether few rows match, which are sorted after they are found.
    """

    request: dict[str, Any]
    index: str
    table: str
    position: tuple[str, ...]
    is_sorted: bool = False


@dataclass(frozen=True)
class Flow:
    """A request that writes, with its response and changes: the first time, and when it is sent again.

    Some functions run more statements than the one that writes.
    """

    name: str
    prepare: Prepare
    response: str
    changes: Changes
    response_again: str
    changes_again: Changes = ()
    failure: str = UNAVAILABLE
    statements: int = 1
    writing_statement: int = 1
    goes_on: bool = False
    """Whether the function goes on by itself after any lost connection, as a scheduled one does."""


@dataclass(frozen=True)
class SqlFunction:
    """An SQL function with its test cases."""

    calls: Callable[[Rows], list[Call]]
    """Calls that test_plans.py explains, and test_contention.py runs twice at the same time."""

    flows: tuple[Flow, ...] = ()
    """Requests that write. test_crash_points.py loses each of their messages, and counts the round trips."""

    paths: tuple[str, ...] = ()
    """Requests that read, with the names of Rows in braces. test_round_trips.py counts the round trips."""

    is_repeatable: bool = False
    """Whether a flow whose connection is lost is sent again: payment events, and requests with an Idempotency-Key."""

    pages: Callable[[Rows], list[Page]] = lambda _: []
    """Pages of a list. test_plans.py checks their indexes."""
