"""Debian's Redis, which both products recommend for production."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.products.processes import free_port, serve


def is_installed() -> bool:
    return shutil.which("redis-server") is not None


@contextmanager
def redis(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a server whose data survives a crash except for the last second, and yield its port and process ID."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--appendonly", "yes"]
    # BullMQ requires it: https://docs.bullmq.io/guide/going-to-production
    command += ["--maxmemory-policy", "noeviction"]
    with serve(command, {}, folder, folder / "redis.log", "Ready to accept connections") as process:
        yield port, process
