"""The documents' tables and the code agree."""

import re
import tomllib

from openapi.document import document
from openapi.problems import description, every_problem
from openapi.reference import with_routes
from tests.api_client import ROOT

REFERENCE = ROOT / "docs" / "reference"


def test_every_problem_is_in_the_reference_with_its_status_and_when_it_happens() -> None:
    page = (REFERENCE / "problems.md").read_text()
    documented = set(re.findall(r"^\| `/docs#([a-z-]+)` \| (\d+) \| (.+) \|$", page, re.MULTILINE))
    assert documented == {(kind.kind, str(kind.status), description(kind)) for kind in every_problem()}


def test_the_reference_s_routes_are_the_description_s() -> None:
    page = (REFERENCE / "api.md").read_text()
    described = with_routes(page, document())
    assert described.count("\n| `GET /") >= 1
    assert described == page, "run `make openapi`"


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_make_target_in_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"`make ([a-z-]+)`", (ROOT / page).read_text())) <= targets


def test_make_knows_the_stacks_of_samconfig() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    named = {name: config[name]["global"]["parameters"]["stack_name"] for name in ("dev", "prod")}
    assert dict(re.findall(r"^STACK_(\w+) := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)) == named
