"""Fixtures of the tests of what `make run` runs."""

from collections.abc import Iterator

import pytest

from tests.local.stack import Stack, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of the module's own."""
    with running(tmp_path_factory.mktemp("data")) as stack:
        yield stack
