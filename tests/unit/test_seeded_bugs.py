"""The bugs that `make seeded-bugs` puts in still fit the code."""

from pathlib import Path

import pytest

from tests.api_client import ROOT
from tests.seeded_bugs import BUGS, Bug, copy_to, put_in


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_still_be_put_in(bug: Bug, tmp_path: Path) -> None:
    copy_to(tmp_path)
    put_in(bug, tmp_path)
    assert all((ROOT / path).exists() for path in bug.tests.split())
