"""How much the tests marked `long` do: a few minutes in CI, and more in `make test-long`."""

import os

LONG = os.environ.get("TEST_LONG") == "1"

SEED = int(os.environ.get("TEST_SEED") or 0)
"""The seed of random choices, to repeat a run. Hypothesis has its own --hypothesis-seed."""


def size(usual: int, long: int) -> int:
    return long if LONG else usual
