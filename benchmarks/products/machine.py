"""The machine and the versions, and which programs are missing."""

import json
import platform
import shutil
from pathlib import Path

from benchmarks.bench import POSTGRES_BIN, output
from benchmarks.products import npm, redis
from local.settings import ROOT


def missing_programs() -> list[str]:
    return [name for name in ("node", "npm", "git") if shutil.which(name) is None]


def machine() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    return {
        "Storefront": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "Vendure": _locked("vendure", "@vendure/core"),
        "Medusa": _locked("medusa", "@medusajs/medusa"),
        "Node.js": output("node", "--version").removeprefix("v"),
        "Python": platform.python_version(),
        "PostgreSQL": output(POSTGRES_BIN / "postgres", "--version").rpartition(" ")[2],
        "Redis": output("redis-server", "--version").split()[2].removeprefix("v=") if redis.is_installed() else "",
        "processor": f"{len(models)} × {models[0]}" if models else platform.machine(),
        "memory": f"{memory} GiB",
        "system": f"Linux {platform.release()}",
    }


def _locked(project: str, package: str) -> str:
    lock = json.loads((npm.HERE / project / "package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{package}"]["version"])
