"""Each bug of `make seeded-bugs` still applies to the code, and `make mutants` names files that exist."""

from pathlib import Path

import pytest

from tests.api_client import ROOT
from tests.mutants import PYTHON, SQL
from tests.seeded_bugs import BUGS, LAYER, Bug, apply_bug, copy_repository


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_still_applies(bug: Bug, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    apply_bug(bug, tmp_path)
    assert all((ROOT / path).exists() for path in bug.tests.split())


def test_the_code_and_the_tests_of_the_mutants_exist() -> None:
    code = [*(f"payments/{name}.py" for name in PYTHON), *(f"{name}.sql" for name in SQL)]
    assert [name for name in code if not (ROOT / LAYER / name).exists()] == []
    tests = {path for names in [*PYTHON.values(), *SQL.values()] for path in names.split()}
    assert [path for path in tests if not (ROOT / path).exists()] == []
