"""The console of `make run`. Colors appear only on a terminal, and not where NO_COLOR is set."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

# Lines stay as long as they are: a narrow window wraps them itself.
_out = Console(highlight=False, soft_wrap=True)
_err = Console(highlight=False, soft_wrap=True, stderr=True)

PATH_CHARACTERS = "/:@!$&'()*+,;=~"
"""Characters of a path that are shown without percent-encoding (RFC 3986, section 3.3)."""

_STATUS_STYLES = {2: "green", 3: "cyan", 4: "yellow", 5: "bold red"}
_LEVEL_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}


def print_now(text: str | Text) -> None:
    """Print a line at once, also into a pipe."""
    _out.print(text if isinstance(text, Text) else Text(text))


def print_error(message: str) -> None:
    """Print an error to standard error."""
    _err.print(Text(printable(message), "bold red"))


def request_line(method: str, path: str, status: int, milliseconds: float, note: Text) -> Text:
    """Return the line about one request. path: percent-encoded."""
    return _assemble(
        (f"{printable(method)} ", "bold"),
        f"{printable(path)} ",
        (f"{status} ", _STATUS_STYLES.get(status // 100, "")),
        (f"{milliseconds:.0f} ms" if milliseconds >= 1 else "<1 ms", "dim"),
        " " if note else "",
        (printable(note.plain), str(note.style)),
    )


def event_line(level: str, *parts: str) -> Text:
    """Return the line about anything else, which starts with its level where it is more than information."""
    style = level_style(level)
    prefix = (f"{level} ", style) if style else ""
    return _assemble(prefix, *map(printable, parts))


def printable(text: str) -> str:
    """Return a text with its control characters escaped, except newlines."""
    # A client must not be able to send control sequences to this terminal.
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def level_style(level: str) -> str:
    """Return the color of a log level; none for information."""
    return _LEVEL_STYLES.get(level, "")


def _assemble(*parts: str | Text | tuple[str, str]) -> Text:
    return Text.assemble((f"{datetime.now().astimezone():%H:%M:%S} ", "dim"), *parts)
