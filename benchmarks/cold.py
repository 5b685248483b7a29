"""Measures cold starts of the deployed files: import, first response from the database, size and memory."""

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

# With -I and -S, the path contains only the standard library and the given folders. The clock starts with the import,
# because Python starts equally fast for all.
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
responded = perf_counter()
peak = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
os.write(out, json.dumps({{"import": (imported - started) * 1000, "response": (responded - started) * 1000,
                          "modules": modules, "status": status, "peak": peak / 1024}}).encode())
"""


@dataclass(frozen=True)
class Deployed:
    """The files of a deployed function. path: the folders that it imports from."""

    path: list[str]
    zip_bytes: int
    """Size of the zip files, which a cold start downloads."""


def artifacts(folder: Path) -> dict[str, Deployed]:
    """Create the files of the orders function and its peers, read-only and with the timestamps of SAM's zip files."""
    build = sam_build(folder)
    archives = [zip_artifact(build / "CommonLayer", folder), zip_artifact(build / "OrdersFunction", folder)]
    for archive, name in zip(archives, ("opt", "task"), strict=True):
        unpack(archive, folder / name)
    deployed = {"storefront": _deployed([folder / "task", folder / "opt" / "python"], archives)}
    for peer in (FASTAPI, FLASK):
        archive = _peer_zip(peer.python.parent.parent, Path(peer.handlers["orders"].rpartition(":")[0]), folder)
        unpack(archive, folder / peer.name)
        deployed[peer.name] = _deployed([folder / peer.name], [archive])
    for name, mode in (("timestamp", "timestamp"), ("no", None)):
        deployed[f"storefront, {name} bytecode"] = _variant(folder, name, mode)
    return deployed


def _deployed(path: list[Path], archives: list[Path]) -> Deployed:
    return Deployed([str(one) for one in path], sum(archive.stat().st_size for archive in archives))


def _peer_zip(environment: Path, handler: Path, folder: Path) -> Path:
    """Create a peer's zip file: its packages without pip, with bytecode as in the layer."""
    staged = folder / f"{handler.parent.name}-staged"
    [packages] = environment.glob("lib/python3.*/site-packages")
    shutil.copytree(packages, staged, ignore=shutil.ignore_patterns("pip", "pip-*", "__pycache__"))
    shutil.copy(handler, staged)
    shutil.copy(PEERS / "common.py", staged)
    _compile(staged, "unchecked-hash")
    return zip_artifact(staged, folder)


def _variant(folder: Path, name: str, mode: str | None) -> Deployed:
    """Copy Storefront's code, with bytecode that is validated by timestamp (the default), or without bytecode."""
    path = [folder / name / part for part in ("task", "opt/python")]
    for source, target in zip([folder / "task", folder / "opt" / "python"], path, strict=True):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    # copytree copies the folders' read-only modes.
    for one in (folder / name).rglob("*"):
        one.chmod(0o755)
    if mode:
        _compile(folder / name, mode)
    make_read_only(folder / name)
    return _deployed(path, [])


def _compile(folder: Path, mode: str) -> None:
    command = [PYTHON, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", mode, str(folder)]
    subprocess.run(command, env={"PATH": PATH}, check=True, stdout=subprocess.DEVNULL)


def start(deployed: Deployed, environment: dict[str, str], event: dict[str, Any]) -> dict[str, Any]:
    """Start a function once. Returns milliseconds until import and response, modules, and the peak memory in MiB."""
    program = PROGRAM.format(path=deployed.path)
    variables = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*WITHOUT_ROOT_ACCESS, PYTHON, "-I", "-S", "-c", program],
        env={**variables, "PATH": PATH, "EVENT": json.dumps(event)},
        capture_output=True,
        check=True,
        text=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    assert measured["status"] == 200, measured
    return measured


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Start all systems alternately. Returns medians, and the lowest and highest values."""
    environment, [event] = bench.environment(url), workloads_on(url)["get order"].events(Random(1), 1)
    folder = bench.folder / "cold"
    folder.mkdir()
    deployed = artifacts(folder)
    starts: dict[str, list[dict[str, Any]]] = {name: [] for name in deployed}
    for start_number in range(bench.sizes.cold_starts + 1):
        for name, one in deployed.items():
            started = start(one, environment, event)
            # The first start reads the files from disk, so it is not counted.
            if start_number:
                starts[name].append(started)
    return {name: _summary(deployed[name], measured) for name, measured in starts.items()}


def _summary(deployed: Deployed, starts: list[dict[str, Any]]) -> dict[str, Any]:
    values = {key: sorted(start[key] for start in starts) for key in ("import", "response", "peak")}
    return {
        "zip_bytes": deployed.zip_bytes,
        "modules": starts[0]["modules"],
        **{key: median(ordered) for key, ordered in values.items()},
        **{f"{key}_range": [ordered[0], ordered[-1]] for key, ordered in values.items()},
    }
