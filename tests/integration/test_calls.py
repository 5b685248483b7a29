"""The registry in calls/ contains each SQL function, so that the tests which use the registry include it."""

from pg8000.native import Connection

from tests.integration.calls import FLOWS, FUNCTIONS
from tests.integration.calls.function import Rows

SIGNATURE = "request jsonb, OUT outcome text, OUT body text"


def functions(database: Connection, volatility: str) -> set[str]:
    rows = database.run(
        """SELECT proname::text FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND pg_get_function_arguments(oid) = :signature
              AND provolatile = :volatility""",
        signature=SIGNATURE,
        volatility=volatility,
    )
    return {name for [name] in rows or []}


def test_each_sql_function_that_python_calls_is_in_the_registry(database: Connection) -> None:
    found = functions(database, "s") | functions(database, "v")
    assert found - set(FUNCTIONS) == set(), "add these functions to tests/integration/calls/"
    assert set(FUNCTIONS) - found == set(), "remove these functions from tests/integration/calls/"


def test_each_function_that_writes_has_a_flow(database: Connection) -> None:
    without = {name for name in functions(database, "v") if not FUNCTIONS[name].flows}
    assert without == set(), "add flows for these functions in tests/integration/calls/"
    assert len({flow.name for flow in FLOWS}) == len(FLOWS)


def test_each_function_that_reads_has_a_path(database: Connection) -> None:
    without = {name for name in functions(database, "s") if not FUNCTIONS[name].paths}
    # No route reads it, only a scheduled function.
    assert without == {"postponed_orders"}, "add paths for these functions in tests/integration/calls/"


def test_each_list_has_pages_with_their_indexes() -> None:
    # The reconciliation is a view over several indexes, which test_plans.py checks separately.
    rows = Rows(*Rows._fields)
    without = {name for name, one in FUNCTIONS.items() if name.startswith("list_") and not one.pages(rows)}
    assert without == {"list_reconciliation"}, "add pages for these lists in tests/integration/calls/"
