"""The commands of the documents print what the documents say. Each document has its own shell."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest

from local.settings import SHOP_SETTINGS
from local.signing import SECRET_VARIABLES
from tests.api_client import ROOT
from tests.documents import DOCUMENTS, blocks, read
from tests.local.stack import running

SEPARATOR = "-- next block --"

SEPARATE = {"docs/getting-started.md": {}, "docs/guides/authentication.md": {"AUTH": "on"}}
"""Documents that have a stack of their own, with its settings. The first one promises its output for fresh data."""


def commands_and_output(document: str) -> list[tuple[str, str]]:
    """Return each block to paste, with the next block, which shows its output."""
    return [(one.text, other.text) for one, other in pairwise(blocks(document)) if one.kind == "sh"]


WITH_COMMANDS = [name for name in DOCUMENTS if commands_and_output(name)]


def comparable(text: str) -> Any:
    """Return the text without the parts that differ between runs: new IDs, numbers, times and durations."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"(?<![0-9a-zA-Z])(?![abc]0000000)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    # Requests that a document does not show place orders too.
    text = re.sub(r'("number" ?: ?)\d+', r"\g<1>0", text)
    # The durations in the tables of `make pay`.
    text = re.sub(r"(?m) +\d+ │$", " MS │", text)
    try:
        return json.loads(text)
    except ValueError:
        return [line.strip() for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """Run the other documents on one stack, and return the output of each block.

    No document may change data that another document shows.
    """
    with ExitStack() as resources:
        shared = tmp_path_factory.mktemp("data")
        stack = resources.enter_context(running(shared))
        stack.wait_for("The webhook's secrets")
        # A reader may have tried these first.
        subprocess.run(["bash", "-c", stack.banner_commands()], cwd=ROOT, capture_output=True, check=True)
        url = stack.url
        found = {}
        for document in WITH_COMMANDS:
            data_dir, address = shared, url
            if (settings := SEPARATE.get(document)) is not None:
                data_dir = tmp_path_factory.mktemp("data")
                address = resources.enter_context(running(data_dir, **settings)).url
            found[document] = paste(document, address, str(data_dir))
        yield found


def paste(document: str, url: str, data_dir: str) -> list[str]:
    """Run the blocks of a document in one shell, and return what each of them prints."""
    script = f"\necho; echo '{SEPARATOR}'\n".join(command for command, _ in commands_and_output(document))
    script = script.replace("http://127.0.0.1:3000", url)
    # Under `make test`, a nested make would print the name of its folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment |= {"PORT": url.rpartition(":")[2], "DATA_DIR": data_dir}
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split(SEPARATOR)


@pytest.mark.parametrize(
    ("document", "number"),
    [(name, number) for name in WITH_COMMANDS for number in range(len(commands_and_output(name)))],
)
def test_a_command_prints_what_the_document_says(printed: dict[str, list[str]], document: str, number: int) -> None:
    assert comparable(printed[document][number]) == comparable(commands_and_output(document)[number][1])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_is_followed_by_its_output(document: str) -> None:
    kinds = [block.kind for block in blocks(document)]
    assert kinds.count("sh") == len(commands_and_output(document))
    assert all(other in ("json", "text") for one, other in pairwise(kinds) if one == "sh")


def test_the_main_documents_have_commands() -> None:
    assert {"README.md", "docs/getting-started.md"} < set(WITH_COMMANDS)


def test_the_documented_settings_are_those_that_make_run_reads() -> None:
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", read("docs/getting-started.md"), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    read_by_it = set(re.findall(r'environment.get\("([A-Z_]+)"', (ROOT / "local" / "settings.py").read_text()))
    assert documented == (read_by_it | set(SHOP_SETTINGS) | set(SECRET_VARIABLES.values())) - {"TEMPLATE"}
