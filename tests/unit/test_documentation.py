"""The README's tables and the code agree."""

import re
import tomllib

from openapi.problems import description, every_problem
from storefront.routes import ROUTES
from tests.shop import ROOT

README = (ROOT / "README.md").read_text()


def test_every_problem_is_in_the_readme_with_its_status_and_when_it_happens() -> None:
    documented = set(re.findall(r"^\| `/docs#([a-z-]+)` \| (\d+) \| (.+) \|$", README, re.MULTILINE))
    assert documented == {(kind.kind, str(kind.status), description(kind)) for kind in every_problem()}


def test_every_route_is_in_the_readme_with_its_function() -> None:
    documented = re.findall(r"^\| `([A-Z]+) (/\S+)` \|.*\| `([a-z]+)` \|$", README, re.MULTILINE)
    assert {(method, path) for method, path, _ in documented} == {
        (method, path) for path, methods in ROUTES.items() for method in methods
    }
    for method, path, function in documented:
        source = (ROOT / "functions" / function / "app.py").read_text()
        assert f'@app.{method.lower()}("{path.replace("{", "<").replace("}", ">")}")' in source


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
