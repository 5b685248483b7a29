"""PostgreSQL: the databases of the shops, and where their servers connect."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from pg8000.native import identifier

from storefront import db


class Address(NamedTuple):
    """folder: of the Unix socket."""

    user: str
    folder: str
    port: int
    name: str

    def node_url(self) -> str:
        """Return the URL for Node.js, whose drivers take an encoded folder as the host."""
        return f"postgresql://{self.user}@{quote(self.folder, safe='')}:{self.port}/{self.name}"


def create(server_url: str, name: str) -> str:
    """Create an empty database, and return its URL."""
    with closing(db.connect(server_url)) as server:
        server.run(f"CREATE DATABASE {identifier(name)}")
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def copy(server_url: str, template: str, name: str) -> str:
    """Copy a database that nobody uses, and return the copy's URL."""
    with closing(db.connect(server_url, response_timeout=120)) as server:
        server.run(f"CREATE DATABASE {identifier(name)} TEMPLATE {identifier(template)}")
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(
        parts.username or "", parse_qs(parts.query)["host"][0], parts.port or 5432, parts.path.removeprefix("/")
    )


def rows(url: str, statement: str, **parameters: Any) -> list[list[Any]]:
    with closing(db.connect(url, response_timeout=120)) as connection:
        return connection.run(statement, **parameters) or []


def server_process(url: str) -> int:
    """Return the process ID of the server, the parent of all its processes."""
    [[folder]] = rows(url, "SHOW data_directory")
    return int((Path(folder) / "postmaster.pid").read_text().split("\n", 1)[0])
