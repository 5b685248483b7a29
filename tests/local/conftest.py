"""A stack that serves, for all tests of a module, and a shop over it."""

from collections.abc import Iterator

import pytest

from tests.local.stack import Stack, running
from tests.shop import Shop, over_http


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("data")) as stack:
        yield stack


@pytest.fixture
def shop(stack: Stack) -> Shop:
    return Shop(over_http(stack.url))
