"""Apply edits to Python code and SQL while the stack runs, and report edits that need a restart."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import RLock

from local.console import event_line, print_now
from local.environments import InvocationError
from local.log_lines import short_path
from local.settings import ROOT

CHECK_INTERVAL = 1.0
"""Seconds between two checks of the files' modification times."""

_SUFFIXES = (".py", ".sql", ".json", ".html", ".css", ".js", ".yaml")

OnChange = Callable[[list[str]], None]
"""Called with the paths of the files that changed, before the next request is served."""


class SourceFiles:
    """The files that the stack runs. Detects changes since the previous check."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = {folder: dict(_modification_times(folder)) for folder in folders}
        self._versions = dict.fromkeys(self._files, 0)
        self._on_change: OnChange = lambda _: None
        # Reentrant: the handler of a change may invoke a function.
        self._lock = RLock()
        self._checked_at = time.monotonic()

    def watch(self, paths: Iterable[Path], on_change: OnChange) -> None:
        """Watch more files or folders, and call a function at each change from now on."""
        for path in paths:
            self._files[path] = dict(_modification_times(path))
            self._versions[path] = 0
        self._on_change = on_change

    def version(self, folders: Iterable[Path]) -> tuple[int, ...]:
        """Return a value that changes with the files in the folders."""
        return tuple(self._versions[folder] for folder in folders)

    def refresh(self) -> None:
        """Check for changes, at most once in CHECK_INTERVAL. Other requests wait until a change is handled."""
        with self._lock:
            if time.monotonic() - self._checked_at < CHECK_INTERVAL:
                return
            self._checked_at = time.monotonic()
            if changed := sorted(self._changed()):
                self._on_change(changed)

    def _changed(self) -> Iterator[str]:
        for folder, before in self._files.items():
            now = dict(_modification_times(folder))
            if now != before:
                yield from {path for path, _ in now.items() ^ before.items()}
                self._files[folder] = now
                self._versions[folder] += 1


def apply_changes(changed: list[str], migrate: Callable[[], list[str]]) -> None:
    """Apply changed SQL, and report what needs a restart. Changed Python code needs nothing: functions restart.

    migrate: returns the names of the files that it applied. Raises InvocationError.
    """
    if any(path.endswith(".sql") for path in changed):
        try:
            applied = migrate()
            message = f"Applied SQL: {', '.join(applied)}" if applied else "The SQL files changed; the schema did not."
            print_now(event_line("INFO", message))
        except InvocationError as error:
            message = f"SQL was not applied: {error}. The database still has the previous version."
            print_now(event_line("ERROR", message))
    restart = [short_path(path) for path in changed if _needs_restart(path)]
    if restart:
        print_now(event_line("WARNING", f"{', '.join(restart)} changed: restart `make run` to use it."))


def _needs_restart(path: str) -> bool:
    return path.endswith(".yaml") or Path(path).is_relative_to(ROOT / "local")


def _modification_times(top: Path) -> Iterator[tuple[str, int]]:
    if top.is_file():
        yield str(top), _modification_time(str(top))
    for folder, _, names in os.walk(top):
        for name in names:
            if name.endswith(_SUFFIXES):
                path = os.path.join(folder, name)  # noqa: PTH118  Path is several times slower here.
                yield path, _modification_time(path)


def _modification_time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  As above.
    except FileNotFoundError:
        # An editor replaced the file while it was read.
        return 0
