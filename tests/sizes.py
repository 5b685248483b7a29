"""How much the tests marked `long` do: enough for a few minutes in CI, more in `make test-long`."""

import os

LONG = os.environ.get("TEST_LONG") == "1"

SEED = int(os.environ.get("TEST_SEED") or 0)
"""What random choices follow from, so that a run can be repeated. Hypothesis has its own --hypothesis-seed."""


def size(usual: int, long: int) -> int:
    return long if LONG else usual
