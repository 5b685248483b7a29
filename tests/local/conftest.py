"""Fixtures for the tests of the local stack."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from pg8000.native import Connection
from playwright.sync_api import Browser, sync_playwright

from local.issuer.server import issuer
from storefront import db
from tests.handlers.refunds import paid_order
from tests.local.browser import CHROMIUM, FLAGS
from tests.local.console_client import ORIGIN, Console
from tests.local.desk import Desk, Shop, desk, shop_of
from tests.local.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that all tests of a worker share."""
    with running(tmp_path_factory.mktemp("data")) as stack:
        yield stack


@pytest.fixture
def rows(stack: Stack) -> Iterator[Connection]:
    """A session on the stack's database."""
    announced = "PostgreSQL is at "
    url = next(line.removeprefix(announced).strip() for line in stack.output if line.startswith(announced))
    with closing(db.connect(url)) as connection:
        yield connection


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def guarded_stack(data_dir: Path) -> Iterator[Stack]:
    """A stack with AUTH=on, which all tests of a worker share."""
    with running(data_dir, AUTH="on") as stack:
        yield stack


@pytest.fixture(scope="session")
def guarded_url(guarded_stack: Stack) -> str:
    """The URL of the stack with AUTH=on."""
    return guarded_stack.url


@pytest.fixture(scope="session")
def shop(guarded_stack: Stack, data_dir: Path) -> Shop:
    """The stack with AUTH=on, with its issuer."""
    return shop_of(guarded_stack, data_dir)


@pytest.fixture
def guarded_console(shop: Shop) -> Console:
    """A client of the issuer of the stack with AUTH=on. Nobody is signed in."""
    return Console(shop.issuer, shop.url)


# For one module at a time, because its event loop must not run during other tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
        yield browser


@pytest.fixture(scope="module")
def manager(browser: Browser, shop: Shop) -> Iterator[Desk]:
    """A manager who stays signed in for all tests of a module, because a sign-in takes a second."""
    with desk(browser, shop) as opened:
        yield opened


@pytest.fixture
def at(manager: Desk) -> Iterator[Desk]:
    """A manager at the console, who stays signed in."""
    yield manager
    manager.page.unroute_all()
    manager.page.set_viewport_size({"width": 1280, "height": 720})
    manager.check()


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    """A pending order of three units, which is paid."""
    return paid_order(shop.api, price="20.00", units=3)


@pytest.fixture
def alone(browser: Browser, shop: Shop) -> Iterator[Desk]:
    """A manager at the console, who may sign out."""
    with desk(browser, shop) as opened:
        yield opened


@pytest.fixture(scope="session")
def issuer_url() -> Iterator[str]:
    """An issuer without a stack, which all tests of a worker share."""
    with issuer(RSAKey.generate_key(2048), 3000) as url:
        yield url


@pytest.fixture
def console(issuer_url: str) -> Console:
    """A browser with a console that has no stack. Nobody is signed in."""
    return Console(issuer_url, ORIGIN)
