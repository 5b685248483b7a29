"""Cold starts, from what is deployed: the import, the first answer from the database, the size, the memory."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks.bench import FASTAPI, FLASK, PEERS, Bench
from benchmarks.workloads import workloads_on
from tests.artifacts import PATH, WITHOUT_ROOT_ACCESS, make_read_only, sam_build, unpack, zip_artifact

PYTHON = "python3.13"

# With -I and -S there is nothing on the path but the standard library and what is named. The clock starts before the
# import and not with the process, whose own start is the same for all.
PROGRAM = """
import sys
sys.path[:0] = {path}
from time import perf_counter
import json, os
event, context = json.loads(os.environ.pop("EVENT")), type("Context", (), {{
    "function_name": "function", "memory_limit_in_mb": 512, "invoked_function_arn": "arn:aws:lambda:function",
    "aws_request_id": "00000000-0000-4000-8000-000000000000", "get_remaining_time_in_millis": lambda: 28000}})
before = len(sys.modules)
started = perf_counter()
import app
imported = perf_counter()
modules = len(sys.modules) - before
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
status = app.lambda_handler(event, context)["statusCode"]
answered = perf_counter()
peak = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
os.write(out, json.dumps({{"import": (imported - started) * 1000, "answer": (answered - started) * 1000,
                          "modules": modules, "status": status, "peak": peak / 1024}}).encode())
"""


@dataclass(frozen=True)
class Deployed:
    """Something that can be started cold."""

    path: list[str]
    packed: int
    """Bytes of the zips, which a cold start fetches."""


def artifacts(folder: Path) -> dict[str, Deployed]:
    """The orders function and its peers, each in a folder that cannot be written to, with the times of SAM's zips."""
    build = sam_build(folder)
    archives = [zip_artifact(build / "CommonLayer", folder), zip_artifact(build / "OrdersFunction", folder)]
    for archive, name in zip(archives, ("opt", "task"), strict=True):
        unpack(archive, folder / name)
    found = {"storefront": _deployed([folder / "task", folder / "opt" / "python"], archives)}
    for peer in (FASTAPI, FLASK):
        archive = _packed(peer.python.parent.parent, Path(peer.handlers["orders"].rpartition(":")[0]), folder)
        unpack(archive, folder / peer.name)
        found[peer.name] = _deployed([folder / peer.name], [archive])
    for name, option in (("warm", "timestamp"), ("compiles", None)):
        found[name] = _variant(folder, name, option)
    return found


def _deployed(path: list[Path], archives: list[Path]) -> Deployed:
    return Deployed(
        [str(one) for one in path],
        sum(archive.stat().st_size for archive in archives),
    )


def _packed(environment: Path, handler: Path, folder: Path) -> Path:
    """A peer's zip: its packages without what only installs them, with bytecode that needs no times, as the layer's."""
    staged = folder / f"{handler.parent.name}-staged"
    [packages] = environment.glob("lib/python3.*/site-packages")
    shutil.copytree(packages, staged, ignore=shutil.ignore_patterns("pip", "pip-*", "__pycache__"))
    shutil.copy(handler, staged)
    shutil.copy(PEERS / "common.py", staged)
    _compile(staged, "unchecked-hash")
    return zip_artifact(staged, folder)


def _variant(folder: Path, name: str, option: str | None) -> Deployed:
    """The same code with the bytecode of the usual kind, or with none."""
    path = [folder / name / part for part in ("task", "opt/python")]
    for source, target in zip([folder / "task", folder / "opt" / "python"], path, strict=True):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    # copytree takes the folders' modes along.
    for one in (folder / name).rglob("*"):
        one.chmod(0o755)
    if option:
        _compile(folder / name, option)
    make_read_only(folder / name)
    return _deployed(path, [])


def _compile(folder: Path, mode: str) -> None:
    command = [PYTHON, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", mode, str(folder)]
    subprocess.run(command, env={"PATH": PATH}, check=True, stdout=subprocess.DEVNULL)


def start(deployed: Deployed, environment: dict[str, str], event: dict[str, Any]) -> dict[str, Any]:
    """Start it once: milliseconds to the import and to the answer, modules, mebibytes."""
    program = PROGRAM.format(path=deployed.path)
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*WITHOUT_ROOT_ACCESS, PYTHON, "-I", "-S", "-c", program],
        env={**kept, "PATH": PATH, "EVENT": json.dumps(event)},
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["status"] == 200, found
    return found


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Interleaved starts of each: medians, with the lowest and the highest."""
    environment, [event] = bench.environment(url), workloads_on(url)["get"].events(Random(1), 1)
    folder = bench.folder / "cold"
    folder.mkdir()
    deployed = artifacts(folder)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in deployed}
    for turn in range(bench.sizes.cold_starts + 1):
        for name, one in deployed.items():
            started = start(one, environment, event)
            # The first of each reads its files from the disk.
            if turn:
                found[name].append(started)
    return {name: _summary(deployed[name], starts) for name, starts in found.items()}


def _summary(deployed: Deployed, starts: list[dict[str, Any]]) -> dict[str, Any]:
    values = {key: sorted(start[key] for start in starts) for key in ("import", "answer", "peak")}
    return {
        "packed": deployed.packed,
        "modules": starts[0]["modules"],
        **{key: median(ordered) for key, ordered in values.items()},
        **{f"{key}_range": [ordered[0], ordered[-1]] for key, ordered in values.items()},
    }
