"""CONTRIBUTING.md shows how much the tests do that search for faults."""

from tests import sizes
from tests.api_client import ROOT


def test_contributing_has_the_table_of_sizes() -> None:
    chosen = [one for one in vars(sizes).values() if isinstance(one, sizes.Size)]
    rows = "".join(f"| {one.what} | {one.quick:,} | {one.full:,} | {one.long:,} |\n" for one in chosen)
    assert f"|---|---|---|---|\n{rows}\n" in (ROOT / "CONTRIBUTING.md").read_text()
