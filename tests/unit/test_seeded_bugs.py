"""Each bug of `make seeded-bugs` still applies to the code."""

from pathlib import Path

import pytest

from tests.api_client import ROOT
from tests.seeded_bugs import BUGS, Bug, apply_bug, copy_repository


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_still_applies(bug: Bug, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    apply_bug(bug, tmp_path)
    assert all((ROOT / path).exists() for path in bug.tests.split())
