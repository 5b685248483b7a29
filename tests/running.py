"""How the tests are run: options, which tests they select, and which worker runs a test."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import sizes
from tests.integration.pooler import PGBOUNCER

LONG_FILES = (
    "test_schemathesis.py",
    "test_state_machine.py",
    "test_crash_points.py",
    "test_make_run.py",
    "test_build.py",
    "test_payment_races.py",
    "test_kills.py",
)
"""The files that take longest. They start first, so that no worker waits for another one at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("storefront")
    group.addoption(
        "--search", choices=["quick", "full", "long"], default="quick", help="how long to search for faults"
    )
    group.addoption("--pooler", action="store_true", help="connect the functions through pgbouncer")
    group.addoption(
        "--postgres", type=Path, metavar="FOLDER", help="use the PostgreSQL whose programs are in this folder"
    )
    group.addoption("--server-url", metavar="URL", help="use the PostgreSQL that runs there; for one worker")


def pytest_configure(config: pytest.Config) -> None:
    sizes.search = config.getoption("--search")
    if config.getoption("--server-url") and "PYTEST_XDIST_WORKER" in os.environ:
        # Some tests change the server's roles.
        raise pytest.UsageError("--server-url needs --numprocesses=0")
    if config.getoption("--pooler") and PGBOUNCER is None:
        # Otherwise every test would be skipped, and the run would succeed.
        raise pytest.UsageError("--pooler needs pgbouncer (Debian: apt install pgbouncer)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _select(config, items)
    items.sort(key=lambda item: LONG_FILES.index(item.path.name) if item.path.name in LONG_FILES else len(LONG_FILES))
    if config.getoption("--pooler"):
        for item in items:
            if marker := item.get_closest_marker("not_behind_a_pooler"):
                item.add_marker(pytest.mark.skip(reason=f"behind a pooler: {marker.args[0]}"))


def _select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose results cannot differ: those that do not use the pooler or the server."""
    if config.getoption("--pooler"):
        fixture = "pooled"
    elif config.getoption("--postgres"):
        fixture = "server_url"
    else:
        return
    left_out = [item for item in items if fixture not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return FilesAndShards(config, log)


class FilesAndShards(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker one file at a time, and the shards of a test to several workers."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "[shard" in nodeid else nodeid.split("::", maxsplit=1)[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape characters in the output of a test that a worker cannot send to the main process."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
