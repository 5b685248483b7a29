"""`make mutants`: change the code for payment events in hundreds of small ways, and check that the tests find each.

Cosmic Ray changes the Python. The operators below change the SQL: they fix a guard to true or false, invert a
comparison, or remove a condition or a lock. Each change is made in a copy.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from storefront import db
from storefront.migrate import MigrationError, migrate
from tests.api_client import ROOT
from tests.databases import new_database, volatile_server
from tests.seeded_bugs import LAYER, copy_repository

TARGET = 0.95
"""The share of all mutants that the tests must find."""

STRIPE_REFUND_TESTS = "tests/unit/test_stripe_refunds.py tests/unit/test_stripe_disputes.py"
STRIPE_TESTS = f"tests/unit/test_stripe_events.py tests/unit/test_stripe_amounts.py {STRIPE_REFUND_TESTS}"
NATIVE_REFUND_TESTS = "tests/unit/test_native_refunds.py"
PROVIDER_TESTS = f"tests/unit/test_providers.py tests/unit/test_envelopes.py {NATIVE_REFUND_TESTS} {STRIPE_TESTS}"
PYTHON = {
    "signatures": "tests/unit/test_signatures.py tests/unit/test_signature_refusals.py "
    "tests/unit/test_signature_libraries.py",
    "providers": PROVIDER_TESTS,
    "reading": PROVIDER_TESTS,
    "native_refunds": NATIVE_REFUND_TESTS,
    "stripe": STRIPE_TESTS,
    "stripe_refunds": STRIPE_REFUND_TESTS,
    "values": f"tests/unit/test_values.py tests/unit/test_amounts.py {PROVIDER_TESTS}",
}
RECONCILIATION_TESTS = (
    "tests/handlers/test_reconciliation_of_canceled_orders.py tests/handlers/test_reconciliation_of_payments.py "
    "tests/handlers/test_reconciliation_of_pending_orders.py tests/handlers/test_reconciliation_of_refunds.py"
)
PAYMENT_SQL_TESTS = (
    # The first one finds most mutants, so it saves the time of the others.
    "tests/handlers/test_payload_shapes.py tests/handlers/test_payment_sequences.py "
    "tests/integration/test_event_contents.py tests/integration/test_event_settings.py "
    "tests/integration/test_payment_holds.py tests/integration/test_unreadable_events.py "
    "tests/handlers/test_erased_bodies.py tests/handlers/test_unread_refund_events.py "
    "tests/handlers/test_refund_shapes.py tests/template/test_alarms.py "
    "tests/handlers/test_payments.py tests/handlers/test_second_payments.py tests/handlers/test_repeated_payments.py "
    "tests/handlers/test_payment_events.py tests/handlers/test_replay.py "
    f"tests/handlers/test_reconciliation.py {RECONCILIATION_TESTS} "
    "tests/handlers/test_unreadable_events.py tests/handlers/test_webhook.py tests/handlers/test_event_ids.py "
    "tests/handlers/test_payment_amounts.py tests/handlers/test_charged_orders.py "
    "tests/integration/test_payment_races.py tests/integration/test_earlier_payments.py "
    "tests/integration/test_refund_event_order.py tests/integration/test_contention.py"
)
REFUND_SQL_TESTS = (
    # The fast ones first, and those that hold two sessions at a barrier last.
    "tests/handlers/test_dispute_events.py tests/handlers/test_refund_shapes.py "
    "tests/handlers/test_refund_execution_with_events.py tests/handlers/test_unread_refund_events.py "
    "tests/integration/test_waiting_events.py tests/integration/test_refund_matching.py "
    "tests/integration/test_payment_of_refund.py "
    "tests/handlers/test_refund_requests.py tests/handlers/test_refund_amounts.py "
    "tests/handlers/test_refundable_payments.py tests/handlers/test_refund_retries.py "
    "tests/handlers/test_refund_lists.py tests/handlers/test_refund_lines.py "
    "tests/handlers/test_restock_after_refunds.py tests/handlers/test_refund_status.py "
    "tests/handlers/test_refund_references.py tests/handlers/test_cancel_with_refund.py "
    "tests/handlers/test_acknowledgements.py tests/handlers/test_refunds_set_by_hand.py "
    f"{RECONCILIATION_TESTS} tests/integration/test_earlier_payments.py "
    "tests/integration/test_refund_event_order.py tests/integration/test_acknowledgement_races.py "
    "tests/integration/test_refund_event_races.py tests/integration/test_refund_races.py"
)
PAYMENT_SQL = (
    *("payment_decision", "refused_payment", "reports_payment", "payment_hold", "is_same_content", "is_replaced_by"),
    *("is_conflict", "with_conflict", "keep_payment_event", "record_payment_event", "known_payment"),
    *("receive_payment", "is_received", "settle_payment_event", "replay_payment_event", "process_again"),
    *("list_payment_events", "complete_payments"),
)
REFUND_SQL = (
    *("request_refund", "refundable_payment", "refund_amount", "refused_lines", "return_units", "units_returned"),
    *("set_refund_status", "is_disputed", "left_of_payment", "named_payment", "reference_schemes", "payment_of_event"),
    *("record_refund_event", "decided_refund_event", "matching_refund", "refund_decision", "carry_out_refund_event"),
    *("change_refund", "change_dispute", "cancel_named_request", "apply_waiting_events", "is_about_refund"),
    "follow_refund_event",
    *("add_refund", "add_made_refund", "is_failed_only_here", "exceeds_payment", "unsettled_refunds"),
)
SQL = {
    **{f"payments/{name}": PAYMENT_SQL_TESTS for name in PAYMENT_SQL},
    **{f"refunds/{name}": REFUND_SQL_TESTS for name in REFUND_SQL},
    **dict.fromkeys(("payments/recount_money", "payments/is_settled_payment"), REFUND_SQL_TESTS),
    "reconciliation/list_reconciliation": PAYMENT_SQL_TESTS,
    "reconciliation/acknowledge_mismatch": REFUND_SQL_TESTS,
}
"""The tests of each function that decides about money."""

OPERATORS = [
    (r"\b(WHEN|IF) (?!false|true)(.+?) THEN", r"\1 false THEN"),
    (r"\b(WHEN|IF) (?!false|true)(.+?) THEN", r"\1 true THEN"),
    (r"(?<=\S) <> (?=\S)", " = "),
    (r"^( +(?:WHERE|AND|WHEN|IF)\b.*?) = ", r"\1 <> "),
    (r"^ +AND .+\n", ""),
    (r" AND [^()\n]+?(?= THEN| AND |\n)", ""),
    (r" FOR NO KEY UPDATE", ""),
    (r" ON CONFLICT \(.*?\) DO NOTHING", ""),
    (r"(?<=\S) >= (?=\S)", " < "),
    (r" OR ", " AND "),
    (r" IS NOT FALSE", " IS FALSE"),
    (r" IS NOT DISTINCT FROM ", " IS DISTINCT FROM "),
    (r" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "),
    (r"IF NOT FOUND", "IF FOUND"),
    (r"IF FOUND", "IF NOT FOUND"),
    (r" \+ 1\b", ""),
    (r"descending => (true|false)", "descending => NOT \\1"),
]
"""A pattern and its replacement. Each match is one mutant."""


class Mutant(NamedTuple):
    what: str
    is_killed: bool


def sql_mutants(text: str) -> Iterator[tuple[str, str]]:
    """Each mutant: a description with its line number, and the changed text."""
    for pattern, replacement in OPERATORS:
        for found in re.finditer(pattern, text, re.MULTILINE):
            start = text.rfind("\n", 0, found.start()) + 1
            if text[start:].lstrip().startswith("--"):
                continue
            new = found.expand(replacement)
            line = text[: found.start()].count("\n") + 1
            yield f"{line}: {found[0].strip()!r} -> {new.strip()!r}", text[: found.start()] + new + text[found.end() :]


def failing_file(folder: Path, tests: list[str], server_url: str) -> str | None:
    """The first file of which a test fails in a copy."""
    result = subprocess.run(
        [sys.executable, *_pytest(tests), *([f"--server-url={server_url}"] if server_url else [])],
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) ([^:\s]+)", result.stdout, re.MULTILINE)
    return failed[1] if failed else tests[0]


def can_be_applied(package: Path, server_url: str) -> bool:
    """Whether the SQL is valid. An invalid mutant would fail every test."""
    with new_database(server_url) as url, closing(db.connect(url)) as connection:
        try:
            migrate(connection, package)
        except MigrationError:
            return False
    return True


def mutate_sql(name: str, folder: Path, server_url: str) -> Iterator[Mutant]:
    tests = SQL[name].split()
    path = folder / LAYER / f"{name}.sql"
    for what, mutant in sql_mutants(path.read_text()):
        path.write_text(mutant)
        if can_be_applied(folder / LAYER, server_url):
            found_by = failing_file(folder, tests, server_url)
            if found_by in tests:
                # It probably finds the next mutant of this function, too. That saves the time of the others.
                tests.remove(found_by)
                tests.insert(0, found_by)
            yield Mutant(f"{name}.sql:{what}", found_by is not None)


def mutate_python(name: str, folder: Path) -> Iterator[Mutant]:
    """Apply Cosmic Ray's operators: https://cosmic-ray.readthedocs.io/en/latest/theory.html."""
    tests = PYTHON[name].split()
    assert failing_file(folder, tests, "") is None, "the tests fail without a change"
    (folder / "mutants.toml").write_text(
        f"""[cosmic-ray]
module-path = "{LAYER}/payments/{name}.py"
timeout = 120.0
excluded-modules = []
test-command = "{shlex.join([sys.executable, *_pytest(tests)])}"
distributor.name = "local"
"""
    )
    for command in ("init", "exec"):
        _cosmic_ray(folder, command, "mutants.toml", "mutants.sqlite")
    for line in _cosmic_ray(folder, "dump", "mutants.sqlite").splitlines():
        item, result = json.loads(line)
        [change] = item["mutations"]
        what = f"{name}.py:{change['start_pos'][0]}: {change['operator_name']}, {change['occurrence']}"
        yield Mutant(what, result["test_outcome"] != "survived")


def _cosmic_ray(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "cosmic_ray.cli", *arguments]
    return subprocess.run(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _pytest(tests: list[str]) -> list[str]:
    return ["-m", "pytest", "-q", "-x", "-m", "not long", "-p", "no:cacheprovider", *tests]


def _environment(folder: Path) -> dict[str, str]:
    # Bytecode is checked by the source's time in seconds, and a mutant can be as old as the original.
    return {**os.environ, "PYTHONPATH": str(folder / "layers/common/python"), "PYTHONDONTWRITEBYTECODE": "1"}


def _in_a_copy(mutate: Callable[[Path], Iterator[Mutant]]) -> list[Mutant]:
    with tempfile.TemporaryDirectory() as folder:
        copy_repository(Path(folder))
        mutants = []
        for mutant in mutate(Path(folder)):
            mutants.append(mutant)
            if not mutant.is_killed:
                print(f"survived: {mutant.what}", flush=True)
        return mutants


def main(prefixes: tuple[str, ...]) -> int:
    """Mutate the files whose names have one of the prefixes."""
    sql = [name for name in SQL if name.startswith(prefixes)]
    python = [name for name in PYTHON if name.startswith(prefixes)]
    with volatile_server() as url:
        for tests in {SQL[name] for name in sql}:
            assert failing_file(ROOT, tests.split(), url) is None, "the tests fail without a change"
        jobs = [
            *(partial(mutate_sql, name, server_url=url) for name in sql),
            *(partial(mutate_python, name) for name in python),
        ]
        with ThreadPoolExecutor(2) as pool:
            mutants = [mutant for found in pool.map(_in_a_copy, jobs) for mutant in found]
    killed = sum(mutant.is_killed for mutant in mutants)
    print(f"{killed} of {len(mutants)} mutants were found, {killed / len(mutants):.1%}")
    return 0 if killed >= TARGET * len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or ("",)))
