"""pgbouncer in transaction mode, between the functions and PostgreSQL."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pytest

from local.settings import APP_ROLE, as_role
from storefront import db

POOL_SIZE = 4
"""Sessions for each database: fewer than the clients, and more than the transactions that a test keeps open."""

# Debian installs it into /usr/sbin, which may not be on the PATH.
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")

_PORT = 6432
_START_TIMEOUT = 10.0


@dataclass(frozen=True)
class Pooler:
    """A running pgbouncer. url: its console."""

    url: str

    def behind(self, database_url: str) -> str:
        """The URL of a database through the pooler."""
        return _behind(self.url, database_url)

    def transactions(self) -> dict[str, int]:
        """The number of transactions for each database."""
        with closing(db.connect(self.url)) as console:
            rows = console.run("SHOW STATS") or []
            # Found by name, because newer versions have more columns.
            count = [column["name"] for column in console.columns or []].index("total_xact_count")
        return {row[0]: int(row[count]) for row in rows if row[0] != "pgbouncer"}


@contextmanager
def pooler(server_url: str, pool_size: int = POOL_SIZE) -> Iterator[Pooler]:
    """Run a pgbouncer in front of a server, on a Unix socket. Skips the test if pgbouncer is not installed."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed (Debian: apt install pgbouncer)")
    # The path of tmp_path is too long for a Unix socket.
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        settings.write_text(_settings(server_url, folder, pool_size))
        command = [PGBOUNCER, "-q", str(settings)]
        if os.geteuid() == 0:
            user = _unprivileged_user(server_url)
            shutil.chown(folder, user)
            command[1:1] = ["-u", user]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _wait_for(folder, process)
                yield Pooler(f"postgresql://console@:{_PORT}/pgbouncer?host={quote(name)}")
            finally:
                # Killed, because SIGTERM has different meanings in different versions.
                process.kill()


def _behind(pooler_url: str, database_url: str) -> str:
    database = urlsplit(database_url)
    return as_role(urlunsplit(urlsplit(pooler_url)._replace(path=database.path)), database.username or "postgres")


def _settings(server_url: str, folder: Path, pool_size: int) -> str:
    host, port = db.host_and_port(server_url)
    address = urlsplit(server_url)
    users = {unquote(address.username or "postgres"): unquote(address.password or ""), APP_ROLE: "", "console": ""}
    # A quote in a name is doubled.
    listed = ("{} {}".format(*(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in one)) for one in users.items())
    (folder / "users").write_text("\n".join(listed) + "\n")
    return f"""[databases]
* = host='{host}' port={port}
[pgbouncer]
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 4000
; Soon report a test that keeps more transactions open than there are sessions.
query_wait_timeout = 20
; Only the tests can access the socket.
auth_type = trust
auth_file = {folder / "users"}
admin_users = console
listen_addr =
listen_port = {_PORT}
unix_socket_dir = {folder}
logfile = {folder / "log"}
"""


def _unprivileged_user(server_url: str) -> str:
    # pgbouncer refuses to run as root. Only the owner of the server's socket may have access to it.
    host, _ = db.host_and_port(server_url)
    owner = Path(host).owner() if host.startswith("/") else "nobody"
    return "nobody" if owner == "root" else owner


def _wait_for(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not _is_ready(folder):
        if process.poll() is not None or time.monotonic() > deadline:
            log = folder / "log"
            pytest.fail(f"pgbouncer did not start: {log.read_text() if log.exists() else 'it wrote no log'}")
        time.sleep(0.02)


def _is_ready(folder: Path) -> bool:
    try:
        db.open_socket(str(folder), _PORT).close()
    except OSError:
        return False
    return True
