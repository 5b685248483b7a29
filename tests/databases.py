"""A PostgreSQL server for the tests, and its databases: copies of one template."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

from pg8000.native import Connection, identifier

from local.postgres import postgres
from local.settings import APP_ROLE
from storefront import db
from storefront.migrate import PACKAGE, migrate
from tests import sizes

# A crash of the machine may lose these databases, which have no use after the run.
_VOLATILE = ("fsync = off", "full_page_writes = off")

_MEMORY = Path("/dev/shm")
"""A file system in memory, on Linux. Creating a database in it takes 0.01 seconds, and on some disks 0.2."""

_ROOM = 6 * 1024**3
"""Bytes that must be free there. Each of at most eight workers needs half a gigabyte."""

# DELETE takes a millisecond, and TRUNCATE 25. But the planner would count the deleted rows of a large table.
_EMPTY = """
DO $$
DECLARE
    tables name[] := ARRAY(SELECT tablename FROM pg_tables
                            WHERE schemaname = 'public' AND tablename NOT IN ('payment_completion', 'schema_history'));
    name name;
BEGIN
    -- Without triggers, which keep rows from being deleted.
    SET LOCAL session_replication_role = replica;
    IF (SELECT sum(pg_relation_size(quote_ident(t)::regclass)) FROM unnest(tables) t) > 1000000 THEN
        EXECUTE 'TRUNCATE ' || (SELECT string_agg(quote_ident(t), ', ') FROM unnest(tables) t);
    ELSE
        FOREACH name IN ARRAY tables LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END IF;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences;
END
$$"""


@contextmanager
def volatile_server(programs: Path | None = None) -> Iterator[str]:
    """Run a server that does not wait for the disk; gives its URL. programs: None for those of the embedded wheel."""
    # Not a folder of pytest, which another run would close to all users but root.
    with TemporaryDirectory(dir=_MEMORY if _has_room() else None) as name:
        folder = Path(name)
        with postgres(folder / "data", "postgres") if programs is None else _installed(programs, folder) as url:
            with closing(db.connect(url)) as server:
                for setting in _VOLATILE:
                    server.run(f"ALTER SYSTEM SET {setting}")
                server.run("SELECT pg_reload_conf()")
            yield url


def _has_room() -> bool:
    return sizes.search != "long" and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM


@contextmanager
def _installed(programs: Path, folder: Path) -> Iterator[str]:
    # PostgreSQL refuses to be root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *options: str) -> None:
        subprocess.run(
            [programs / program, "-D", folder / "data", *options], user=user, check=True, stdout=subprocess.DEVNULL
        )

    run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
    run("pg_ctl", "start", "--wait", f"--log={folder}/log", f"--options=-k {folder} -h ''")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "--mode=immediate")


@contextmanager
def new_database(server_url: str, options: str = "") -> Iterator[str]:
    """Create an empty database, and drop it at the end; gives its URL. options: of CREATE DATABASE."""
    with _created(server_url, options) as url:
        yield url


@contextmanager
def copied_database(server_url: str, template: str) -> Iterator[str]:
    """Copy a database, and drop the copy at the end; gives its URL."""
    with _created(server_url, f"TEMPLATE {identifier(template)} STRATEGY FILE_COPY") as url:
        # A copy has neither the settings of its original nor the grants on it.
        prepare(url)
        yield url


def prepare(url: str) -> None:
    """Bring the schema up to date, as a deployment does."""
    with closing(db.connect(url)) as connection:
        migrate(connection, app_role=APP_ROLE)


def copied_package(folder: Path) -> Path:
    """Copy the layer's SQL into a folder, so that a test may change it."""
    return shutil.copytree(PACKAGE, folder / "storefront", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def empty(connection: Connection) -> None:
    """Delete every row that a test wrote."""
    connection.run(_EMPTY)


@contextmanager
def _created(server_url: str, how: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with closing(db.connect(server_url)) as server:
        server.run(f"CREATE DATABASE {identifier(name)} {how}")
    yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    with closing(db.connect(server_url)) as server:
        server.run(f"DROP DATABASE {identifier(name)} WITH (FORCE)")
