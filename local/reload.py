"""Apply edits to Python code and SQL while the stack runs, and report edits that need a restart."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, RLock, Thread

from local.environments import InvocationError
from local.log_lines import short_path
from local.settings import ROOT
from local.terminal import event_line, print_error, print_now

CHECK_INTERVAL = 0.5
"""Seconds between two checks of the files' modification times."""

RETRY_INTERVAL = 5.0
"""Seconds until SQL that failed is applied again without a change: another session may have locked a table."""

_STOP_TIMEOUT = 1.0
"""Seconds to wait at the end for a check. A migration may take longer: it ends with its function."""

_SUFFIXES = (".py", ".sql", ".json", ".html", ".css", ".js", ".yaml")

# Each invocation has another ID. Without it, equal errors are equal.
_REQUEST_ID = re.compile(r"RequestId: \S+ ")

_NOTHING_TO_APPLY = "The SQL files match the database again. Nothing to apply."

OnChange = Callable[[list[str]], None]
"""Called at each check, before the next request is served, with the paths of the files that changed, or with none."""


class SourceFiles:
    """The files that the stack runs. Detects changes since the previous check."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = {folder: dict(_modification_times(folder)) for folder in folders}
        self._versions = dict.fromkeys(self._files, 0)
        self._on_change: OnChange = lambda _: None
        # Reentrant: the handler of a change may invoke a function.
        self._lock = RLock()
        self._checked_at = time.monotonic()

    @contextmanager
    def watching(self, paths: Iterable[Path], on_change: OnChange) -> Iterator[None]:
        """Watch more files or folders, and call a function at each check, until the end."""
        for path in paths:
            self._files[path] = dict(_modification_times(path))
            self._versions[path] = 0
        self._on_change = on_change
        stopping = Event()
        thread = Thread(target=self._refresh_until, args=(stopping,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(_STOP_TIMEOUT)

    def version(self, folders: Iterable[Path]) -> tuple[int, ...]:
        """Return a value that changes with the files in the folders."""
        return tuple(self._versions[folder] for folder in folders)

    def refresh(self, *, at_once: bool = False) -> None:
        """Check for changes: now, or at most once in CHECK_INTERVAL. Other requests wait until a change is handled."""
        with self._lock:
            if not at_once and time.monotonic() - self._checked_at < CHECK_INTERVAL:
                return
            self._checked_at = time.monotonic()
            self._on_change(sorted(self._changed()))

    def _refresh_until(self, stopping: Event) -> None:
        reported = ""
        while not stopping.wait(CHECK_INTERVAL):
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001  Later changes must still be detected.
                message = f"The check for changed files failed: {error!r}"
                if message != reported:
                    print_error(message)
                reported = message

    def _changed(self) -> Iterator[str]:
        for folder, before in self._files.items():
            now = dict(_modification_times(folder))
            if now != before:
                yield from {path for path, _ in now.items() ^ before.items()}
                self._files[folder] = now
                self._versions[folder] += 1


class ChangeHandler:
    """Applies changed SQL, and reports what needs a restart. Changed Python code needs nothing: functions restart."""

    def __init__(self, migrate: Callable[[], list[str]]) -> None:
        """migrate: returns the names of the files that it applied. Raises InvocationError."""
        self._migrate = migrate
        self._pending = False
        self._retry_at = 0.0
        self._reported = ""

    def __call__(self, changed: list[str]) -> None:
        """Handle the changes since the last call. SQL that failed is tried again after a change or RETRY_INTERVAL."""
        if any(path.endswith(".sql") for path in changed):
            self._pending = True
            self._reported = ""
        if self._pending and (changed or time.monotonic() >= self._retry_at):
            self._apply_sql()
        restart = [short_path(path) for path in changed if _needs_restart(path)]
        if restart:
            print_now(event_line("WARNING", f"{', '.join(restart)} changed: restart `make run` to use it."))

    def _apply_sql(self) -> None:
        # migrate() may start a process, and so check the files again. That check must not start a retry.
        self._pending = False
        applied = None
        try:
            applied = self._migrate()
            message = f"Applied SQL: {', '.join(applied)}" if applied else _NOTHING_TO_APPLY
            print_now(event_line("INFO", message))
        except InvocationError as error:
            self._report_once(_REQUEST_ID.sub("", str(error)))
        finally:
            self._pending = applied is None
            self._retry_at = time.monotonic() + RETRY_INTERVAL

    def _report_once(self, error: str) -> None:
        if error != self._reported:
            reason = error.removeprefix("MigrationError: ").removesuffix(".")
            message = f"SQL was not applied: {reason}. The database still has the previous version."
            print_now(event_line("ERROR", message))
        self._reported = error


def _needs_restart(path: str) -> bool:
    return path.endswith(".yaml") or Path(path).is_relative_to(ROOT / "local")


def _modification_times(top: Path) -> Iterator[tuple[str, int]]:
    if top.is_file():
        yield str(top), _modification_time(str(top))
    for folder, _, names in os.walk(top):
        for name in names:
            # Editors' lock files start with a dot.
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                path = os.path.join(folder, name)  # noqa: PTH118  Path is several times slower here.
                yield path, _modification_time(path)


def _modification_time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  As above.
    except OSError:
        # An editor replaced the file while it was read, or it is a link to itself.
        return 0
