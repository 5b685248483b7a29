"""The database of the stack: an embedded one, or that of DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.postgres import PostgresError, check_reachable, postgres
from local.settings import Settings, StartError
from storefront.db import host_and_port


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the database's URL. An embedded server stops at the end. Raises StartError."""
    try:
        if settings.database_url:
            check_reachable(settings.database_url)
            host, port = host_and_port(settings.database_url)
            print(f"Using the PostgreSQL of DATABASE_URL, at {host}, port {port}", flush=True)
            yield settings.database_url
        else:
            print(f"Starting PostgreSQL on {settings.data_dir}", flush=True)
            with postgres(settings.data_dir / "postgres") as url:
                print(f"PostgreSQL is at {url}", flush=True)
                yield url
    except PostgresError as error:
        raise StartError(str(error)) from error
