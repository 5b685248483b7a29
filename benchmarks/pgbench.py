"""pgbench, PostgreSQL's own client in C, with the functions' statements: the upper limit, and many clients at once."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil

from benchmarks.bench import POSTGRES_BIN

PROTOCOLS = {"pgbench": "extended", "pgbench, prepared": "prepared"}
"""The first protocol is the functions' own: unnamed statements, which poolers in transaction mode can pass on. The
second one plans a statement only once for each connection, which is the fastest that PostgreSQL supports."""

CLIENTS_PER_THREAD = 64
"""At each response, a thread of pgbench looks at all of its clients."""


def rate(
    url: str, protocol: str, function: str, requests: Sequence[dict[str, object]], clients: int, seconds: int
) -> float:
    """Return the calls per second of an SQL function by concurrent clients, which choose requests at random."""
    # The same statement as in storefront/db.py.
    scripts = [Script(f"{n}", f"SELECT outcome, body FROM {function}(:request{n});\n") for n in range(len(requests))]
    variables = {f"request{number}": json.dumps(request) for number, request in enumerate(requests)}
    with TemporaryDirectory() as folder:
        options = ["--protocol", protocol, "--time", str(seconds), "--client", str(clients), "--jobs", str(clients)]
        output = _finish(_start(url, scripts, variables, options, Path(folder)))
    return float(re.search(r"tps = ([0-9.]+)", output)[1])  # type: ignore[index]


@dataclass(frozen=True)
class Script:
    """A kind of transaction. weight: how often it is chosen, in comparison with the others."""

    name: str
    text: str
    weight: float = 1


class Crowd(NamedTuple):
    """What many clients saw. times: for each script, the ms of each transaction. began: the time of day, in seconds."""

    times: Mapping[str, Sequence[float]]
    began: float
    processor_load: float


def crowd(
    url: str,
    scripts: Sequence[Script],
    variables: Mapping[str, Any],
    *,
    clients: int,
    warm_up: int,
    seconds: int,
    rate: float | None = None,
) -> Crowd:
    """Let many clients run scripts, and report the seconds after the warm-up. rate: transactions per second at most."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        options = ["--protocol", "extended", "--time", str(warm_up + seconds), "--client", str(clients)]
        options += ["--jobs", str(-(-clients // CLIENTS_PER_THREAD)), "--log", f"--log-prefix={folder}/log"]
        if rate is not None:
            options.append(f"--rate={rate}")
        process = _start(url, scripts, variables, options, folder)
        loads = []
        while process.poll() is None:
            loads.append(psutil.cpu_percent(interval=1))
        _finish(process)
        began, times = _last_times(folder, scripts, seconds)
    return Crowd(times, began, mean(loads[-seconds - 1 : -1]))


def _start(
    url: str, scripts: Sequence[Script], variables: Mapping[str, Any], options: Sequence[str], folder: Path
) -> subprocess.Popen[str]:
    arguments: list[str] = []
    for script in scripts:
        file = folder / f"{script.name}.sql"
        file.write_text(script.text)
        arguments += ["--file", f"{file}@{round(script.weight * 100)}"]
    for name, value in variables.items():
        arguments += ["--define", f"{name}={value}"]
    return subprocess.Popen(
        [POSTGRES_BIN / "pgbench", "--no-vacuum", *options, *arguments, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    # pgbench continues after a failed statement.
    assert re.search(r"number of failed transactions: 0 ", output), output
    return output


def _last_times(folder: Path, scripts: Sequence[Script], seconds: int) -> tuple[float, dict[str, list[float]]]:
    """Return when the last seconds of the log began, and the times of their transactions."""
    # https://www.postgresql.org/docs/current/pgbench.html, per-transaction logging: client, number, duration, script,
    # seconds, microseconds, and with --rate how late the transaction began.
    lines = [line.split() for file in folder.glob("log*") for line in file.read_text().splitlines()]
    ends = [int(line[4]) + int(line[5]) / 1e6 for line in lines]
    began = max(ends) - seconds
    times: dict[str, list[float]] = {script.name: [] for script in scripts}
    for end, (_, _, duration, script, _, _, *late) in zip(ends, lines, strict=True):
        if end >= began:
            times[scripts[int(script)].name].append((int(duration) - sum(map(int, late))) / 1000)
    return began, times
