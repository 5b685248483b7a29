"""The upper limit: pgbench, PostgreSQL's own client in C, with the same statements and parameters."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import POSTGRES_BIN

PROTOCOLS = {"pgbench": "extended", "pgbench, prepared": "prepared"}
"""The first protocol is the functions' own: unnamed statements, which poolers in transaction mode can pass on. The
second one plans a statement only once for each connection, which is the fastest that PostgreSQL supports."""


def rate(
    url: str, protocol: str, function: str, requests: Sequence[dict[str, object]], clients: int, seconds: int
) -> float:
    """Return the calls per second of an SQL function by concurrent clients, which choose requests at random."""
    with TemporaryDirectory() as folder:
        options: list[str] = []
        for number, request in enumerate(requests):
            script = Path(folder) / f"{number}.sql"
            # The same statement as in storefront/db.py.
            script.write_text(f"SELECT outcome, body FROM {function}(:request{number});\n")
            options += ["-f", str(script), "-D", f"request{number}={json.dumps(request)}"]
        output = subprocess.run(
            [
                *(POSTGRES_BIN / "pgbench", "--no-vacuum", "--protocol", protocol, "--time", str(seconds)),
                *("--client", str(clients), "--jobs", str(clients), *options, url),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    # pgbench continues after a failed statement.
    assert re.search(r"number of failed transactions: 0 ", output), output
    return float(re.search(r"tps = ([0-9.]+)", output)[1])  # type: ignore[index]
