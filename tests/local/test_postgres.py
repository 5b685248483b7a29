"""The embedded server leaves alone what is not its own."""

import os
from pathlib import Path

import pytest

from local.postgres import PostgresError, postgres


def test_a_process_that_has_the_number_of_a_killed_server_is_not_taken_for_it(tmp_path: Path) -> None:
    pgdata = tmp_path / "postgres"
    with postgres(pgdata):
        left_behind = (pgdata / "postmaster.pid").read_text().splitlines()
    left_behind[0] = str(os.getpid())
    (pgdata / "postmaster.pid").write_text("\n".join(left_behind) + "\n")
    with postgres(pgdata):
        assert (pgdata / "postmaster.pid").read_text().splitlines()[0] != str(os.getpid())


@pytest.mark.parametrize("name", ["my shop", "shop'", "$(touch pwned)", "a;b"])
def test_a_path_that_a_shell_would_take_apart_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PostgresError, match="no space or sign"), postgres(tmp_path / name):
        pass
