"""The documents' commands do what the documents say, pasted one after the other into one shell."""

import json
import os
import re
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from local.signing import SECRET_VARIABLES
from tests.api_client import ROOT
from tests.local.stack import running

BLOCK = re.compile(r"^```(sh|json|text|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = ("docs/getting-started.md", "docs/guides/payments.md", "docs/guides/reconciliation.md")
SEPARATOR = "-- next block --"


def commands_and_responses() -> list[tuple[str, str]]:
    """Each block to paste with the block after it, which says what comes back."""
    blocks = [block for name in DOCUMENTS for block in BLOCK.findall((ROOT / name).read_text())]
    return [(command, response) for (kind, command), (_, response) in pairwise(blocks) if kind == "sh"]


def comparable(text: str) -> Any:
    """Without what differs from run to run: new ids and times."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b(?!a0000000|b0000000)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    # How long an answer took, in the tables of the processor.
    text = re.sub(r"(?m) +\d+ │$", " MS │", text)
    try:
        return json.loads(text)
    except ValueError:
        return [line.strip() for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block prints."""
    with running(tmp_path_factory.mktemp("data")) as stack:
        script = f"\necho; echo '{SEPARATOR}'\n".join(command for command, _ in commands_and_responses())
        script = script.replace("http://127.0.0.1:3000", stack.url)
        # As in a shell of its own: within the tests' own make, another one tells the folder that it is in.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        command = ["bash", "-euo", "pipefail", "-c", script]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.split(SEPARATOR)


@pytest.mark.parametrize("number", range(len(commands_and_responses())))
def test_a_command_answers_what_the_document_says(printed: list[str], number: int) -> None:
    assert comparable(printed[number]) == comparable(commands_and_responses()[number][1])


def test_there_are_commands_to_paste() -> None:
    assert len(commands_and_responses()) > 5


def test_the_settings_of_make_run_are_the_ones_it_reads() -> None:
    page = (ROOT / "docs" / "getting-started.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", page, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    read = set(re.findall(r'environment.get\("([A-Z_]+)"', (ROOT / "local" / "settings.py").read_text()))
    read |= set(SECRET_VARIABLES.values())
    assert documented == read - {"TEMPLATE"}
