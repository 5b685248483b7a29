"""The documents, their blocks of code, and the commands in them."""

import re
from typing import NamedTuple

from tests.api_client import ROOT

DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "benchmarks").glob("[A-Z]*.md")),
    ]
]

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block. kind: a test runs `sh` and checks `console`. `json` and `text` are output."""

    kind: str
    text: str


def read(document: str) -> str:
    """Return a document's text."""
    return (ROOT / document).read_text()


def blocks(document: str) -> list[Block]:
    """Return a document's blocks, without their indent."""
    return [Block(kind, re.sub(f"(?m)^{indent}", "", text)) for indent, kind, text in _BLOCK.findall(read(document))]


def prose(document: str) -> str:
    """Return a document's text without its blocks."""
    return _BLOCK.sub("", read(document))


def commands(document: str) -> list[str]:
    """Return the shell commands of a document, from its blocks and from its sentences."""
    shown = [re.sub(r"(?m)^\$ ", "", block.text) for block in blocks(document) if block.kind in ("sh", "console")]
    return shown + re.findall(r"`((?:make|aws|\.venv/bin/\w+|[A-Z_]+=\S+ make) [^`]+)`", prose(document))
