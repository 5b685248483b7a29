"""The limit: pgbench, which is PostgreSQL's own client in C, with the very same statements and parameters."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import POSTGRES_BIN

PROTOCOLS = {"pgbench": "extended", "pgbench, prepared": "prepared"}
"""The first is the functions' own: a statement without a name, which is all that a pooler in transaction mode can pass
on. The second plans it once for each connection, which is the most that PostgreSQL can do."""


def rate(
    url: str, protocol: str, function: str, requests: Sequence[dict[str, object]], clients: int, seconds: int
) -> float:
    """Calls of a function a second, by so many clients at once, with one of the requests each, chosen at random."""
    with TemporaryDirectory() as folder:
        options: list[str] = []
        for number, request in enumerate(requests):
            script = Path(folder) / f"{number}.sql"
            # As storefront/db.py sends it.
            script.write_text(f"SELECT outcome, body FROM {function}(:request{number});\n")
            options += ["-f", str(script), "-D", f"request{number}={json.dumps(request)}"]
        said = subprocess.run(
            [
                *(POSTGRES_BIN / "pgbench", "--no-vacuum", "--protocol", protocol, "--time", str(seconds)),
                *("--client", str(clients), "--jobs", str(clients), *options, url),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    # It counts on after a statement that failed.
    assert re.search(r"number of failed transactions: 0 ", said), said
    return float(re.search(r"tps = ([0-9.]+)", said)[1])  # type: ignore[index]
