"""The program of the guide that makes refunds at Stripe, against the emulation of Stripe's refund endpoints."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stripe

from tests.documents import blocks
from tests.stripe_refunds import KEY, Stripe, serving

[PROGRAM] = [block.text for block in blocks("docs/guides/refunds.md") if block.kind == "python"]


@contextmanager
def connected(account: Stripe, shop: str, timeout: float = 0.25) -> Iterator[None]:
    """Connect the program to an account at Stripe and to the address of a shop.

    timeout: seconds until a request to Stripe fails.
    """
    client = stripe.RequestsClient(timeout=timeout)
    with serving(account) as address, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe, "api_base", address)
        patch.setattr(stripe, "default_http_client", client)
        # The library repeats a failed request at once, instead of after half a second.
        patch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
        patch.setitem(os.environ, "STOREFRONT_URL", shop)
        patch.setitem(os.environ, "STOREFRONT_TOKEN", "unused")
        patch.setitem(os.environ, "STRIPE_API_KEY", KEY)
        yield
        client.close()  # type: ignore[no-untyped-call]


def run() -> None:
    """Run the program once."""
    exec(PROGRAM, {"__name__": "__main__"})


def names() -> dict[str, object]:
    """The names that the program defines."""
    found: dict[str, object] = {}
    exec(PROGRAM, found)
    return found
