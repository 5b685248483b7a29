"""The machine and the versions, and which programs are missing."""

import json
import platform
import shutil

from benchmarks.bench import POSTGRES_BIN, hardware, output
from benchmarks.products import npm, redis
from local.settings import ROOT


def missing_programs() -> list[str]:
    return [name for name in ("node", "npm", "git") if shutil.which(name) is None]


def machine() -> dict[str, str]:
    return {
        "Storefront": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "Vendure": _locked("vendure", "@vendure/core"),
        "Medusa": _locked("medusa", "@medusajs/medusa"),
        "Node.js": output("node", "--version").removeprefix("v"),
        "Python": platform.python_version(),
        "PostgreSQL": output(POSTGRES_BIN / "postgres", "--version").rpartition(" ")[2],
        "Redis": output("redis-server", "--version").split()[2].removeprefix("v=") if redis.is_installed() else "",
        **hardware(),
    }


def _locked(project: str, package: str) -> str:
    lock = json.loads((npm.HERE / project / "package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{package}"]["version"])
