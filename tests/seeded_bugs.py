"""`make seeded-bugs`: add known bugs to a copy, one at a time, and check that the tests find each.

A bug is a list of text replacements. Each old text must occur exactly once in its file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from storefront.console.modules import NODE_MODULES
from tests.api_client import ROOT

LAYER = "layers/common/python/storefront"


class Replacement(NamedTuple):
    path: str
    old: str
    new: str


class Bug(NamedTuple):
    """The replacements, and the tests that must fail with them."""

    name: str
    tests: str
    replacements: list[Replacement]


BUGS = [
    Bug(
        "the guard of the stock is dropped",
        "tests/integration/test_last_unit.py tests/integration/test_contention.py",
        [
            Replacement(
                f"{LAYER}/orders/place_order.sql",
                "FILTER (WHERE p.quantity >= p.wanted) = cardinality(ids)",
                "= cardinality(ids)",
            ),
            Replacement(f"{LAYER}/migrations/0001_baseline.sql", "CHECK (VALUE >= 0)", "CHECK (true)"),
        ],
    ),
    Bug(
        "the stock is given back outside the transaction",
        "tests/integration/test_crash_points.py",
        [
            Replacement(
                f"{LAYER}/orders/change_order_status.sql",
                "PERFORM restock_orders(ARRAY[changed.id], request);",
                "NULL;",
            ),
            Replacement(
                f"{LAYER}/orders/restock_orders.sql",
                "-- Returns the stock of orders,",
                "CREATE OR REPLACE FUNCTION restock_later(request jsonb, OUT outcome text, OUT body text)\n"
                "    LANGUAGE plpgsql AS $$ BEGIN\n"
                "    PERFORM restock_orders(ARRAY[(request ->> 'id')::uuid], request);\n"
                "    outcome := 'restocked';\n"
                "END $$;\n"
                "-- Returns the stock of orders,",
            ),
            Replacement(
                f"{LAYER}/orders/store.py",
                "        raise InvalidTransition(json.loads(body), change.status)\n",
                "        raise InvalidTransition(json.loads(body), change.status)\n"
                '    if change.status == "canceled":\n'
                '        db.call("restock_later", json.dumps({"id": order_id, **actor}), repeatable=False)\n',
            ),
        ],
    ),
    Bug(
        "the key is stored after the commit",
        "tests/integration/test_crash_points.py",
        [
            Replacement(
                f"{LAYER}/idempotency/call_once.sql",
                "    IF outcome IN ('placed', 'created', 'adjusted', 'acknowledged') THEN",
                "    IF false THEN",
            ),
            Replacement(
                f"{LAYER}/idempotency/call_once.sql",
                "-- Runs an operation once for each idempotency key,",
                "CREATE OR REPLACE FUNCTION store_key(request jsonb, OUT outcome text, OUT body text)\n"
                "    LANGUAGE plpgsql AS $$ BEGIN\n"
                "    INSERT INTO idempotency_keys (caller, operation, key, fingerprint, body)\n"
                "    VALUES (request ->> 'caller', request ->> 'operation', request ->> 'key',\n"
                "            request ->> 'fingerprint', request ->> 'body');\n"
                "    outcome := 'stored';\n"
                "END $$;\n"
                "-- Runs an operation once for each idempotency key,",
            ),
            Replacement(
                f"{LAYER}/idempotency/keys.py",
                '    if outcome == "key_reused":\n',
                '    if outcome in ("placed", "created", "adjusted", "acknowledged"):\n'
                '        db.call("store_key", json.dumps({**request, "body": body}), repeatable=False)\n'
                '    if outcome == "key_reused":\n',
            ),
        ],
    ),
    Bug(
        "the products are locked in the order of the request",
        "tests/integration/test_contention.py tests/integration/test_last_unit.py",
        [
            Replacement(
                f"{LAYER}/orders/place_order.sql",
                "FOREACH product_id IN ARRAY in_stock LOOP",
                "FOREACH product_id IN ARRAY ids LOOP",
            )
        ],
    ),
    Bug(
        "the audit is blinded",
        "tests/integration/test_audit.py",
        [Replacement(f"{LAYER}/audit.sql", "FROM violations ORDER BY", "FROM violations WHERE false ORDER BY")],
    ),
]


def apply_bug(bug: Bug, folder: Path) -> None:
    """Apply a bug to a copy. Raises AssertionError unless each old text occurs exactly once."""
    for path, old, new in bug.replacements:
        text = (folder / path).read_text()
        assert text.count(old) == 1, f"{path} should have once: {old}"
        (folder / path).write_text(text.replace(old, new))


def copy_repository(folder: Path) -> None:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    # Not part of the repository, because npm installs it.
    (folder / NODE_MODULES.relative_to(ROOT)).symlink_to(NODE_MODULES)


def is_found(bug: Bug) -> bool:
    """Whether the bug's tests fail in a copy that has the bug."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_repository(folder)
        apply_bug(bug, folder)
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.tests.split()],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "layers/common/python")},
            capture_output=True,
            text=True,
            check=False,
        )
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAILED")]
    print(f"{bug.name}: {failed[0] if failed else 'not found'}", flush=True)
    return bool(failed)


def main() -> int:
    found = [is_found(bug) for bug in BUGS]
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
