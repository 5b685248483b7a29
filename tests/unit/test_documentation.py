"""The documents agree with the code, and every link has a target."""

import re
import tomllib

import pytest

from local.signing import LOCAL_SECRETS, sign
from openapi.document import document
from openapi.problems import description, every_problem
from openapi.reference import pages
from storefront.routes import ORDERS_ALL, ROUTES, STATIC, Access
from tests.api_client import ROOT
from tests.documents import DOCUMENTS, prose, read
from tests.template.sam import ENVIRONMENTS

MOST_LINES_OF_THE_README = 180


def test_the_reference_describes_every_problem() -> None:
    rows = re.findall(
        r"^\| \[`/docs#([a-z-]+)`\]\(#\1\) \| (\d+) \| (.+) \|$", read("docs/reference/problems.md"), re.MULTILINE
    )
    assert set(rows) == {(kind.kind, str(kind.status), description(kind)) for kind in every_problem()}


def test_the_reference_is_up_to_date() -> None:
    for path, page in pages(document()).items():
        assert page.count("<!-- begin ") >= 2
        assert path.read_text() == page, "run `make openapi`"


def rows_of(parameter: str) -> dict[str, tuple[str, str]]:
    """The routes of each row about a query parameter, and its values and its meaning."""
    row = rf"^\| `{parameter}`(.*) \| (.*) \| (.*) \|$"
    section = read("docs/reference/api.md").partition("<!-- begin parameters")[2].partition("<!-- end parameters")[0]
    return {routes: (values, meaning) for routes, values, meaning in re.findall(row, section, re.MULTILINE)}


def test_the_reference_shows_each_meaning_of_a_query_parameter() -> None:
    found = rows_of("status")
    assert set(found) == {" of `GET /api/orders`", " of `GET /api/refunds`"}
    assert found[" of `GET /api/orders`"][0] == "`pending`, `completed`, `canceled`"
    assert found[" of `GET /api/refunds`"][0] == "`requested`, `pending`, `canceled`, `succeeded`, `failed`"
    assert set(rows_of("cursor")) == {""}


def test_the_reference_shows_a_value_that_can_be_null() -> None:
    text = read("docs/reference/api.md")
    assert "`None`" not in text
    assert "`succeeded`, `failed`, `canceled` or null, optional |" in text


def test_every_route_is_in_the_reference() -> None:
    routes = set(re.findall(r"^\| `([A-Z]+) (/\S*)` \|", read("docs/reference/api.md"), re.MULTILINE))
    assert routes == {(method, path) for path in ROUTES.keys() - STATIC for method in ROUTES[path]}


def test_every_scope_is_in_the_guide() -> None:
    scopes = set(re.findall(r"^\| .+ \| `(\w+:\w+)` \|$", read("docs/guides/authentication.md"), re.MULTILINE))
    assert scopes == set(Access) - {Access.ANYONE, Access.SIGNATURE}


@pytest.mark.parametrize("page", DOCUMENTS)
def test_a_document_names_only_scopes_that_exist(page: str) -> None:
    assert set(re.findall(r"\b(?:catalog|orders):\w+", read(page))) <= {*Access, ORDERS_ALL}


def anchors(path: str, level: str = "#+") -> list[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(rf"^{level} (.+)$", prose(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", DOCUMENTS)
def test_every_link_to_a_file_or_heading_has_a_target(page: str) -> None:
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", prose(page)):
        path = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(str(path.relative_to(ROOT))), f"{target}#{anchor}"


@pytest.mark.parametrize("page", DOCUMENTS)
def test_a_list_of_contents_names_every_section(page: str) -> None:
    lines = re.findall(r"^- \[.+\]\(#.+\)$", prose(page), re.MULTILINE)
    listed = re.findall(r"\]\(#([^)]+)\)", "".join(lines))
    assert listed in ([], anchors(page, level="##"))


@pytest.mark.parametrize(
    "target",
    [
        "docs/guides/payments.md#rotate-the-secret",
        "docs/guides/refunds.md#request-a-refund",
        "docs/guides/reconciliation.md#needs-review",
        "CONTRIBUTING.md#add-a-field",
        "docs/guides/deployment.md#what-it-costs",
        "docs/reference/api.md#poll-for-changes",
        "docs/getting-started.md#keep-the-price-that-the-buyer-saw",
        "docs/getting-started.md#change-an-order-when-several-people-work",
    ],
)
def test_the_readme_links_to_common_tasks(target: str) -> None:
    assert f"]({target})" in read("README.md")


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= MOST_LINES_OF_THE_README


def test_every_decision_is_in_the_index() -> None:
    files = {path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert set(re.findall(r"\]\((0[^)]+\.md)\)", read("docs/decisions/README.md"))) == files


def test_makefile_and_samconfig_name_the_same_stacks() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    named = {name: config[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS}
    assert dict(re.findall(r"^STACK_(\w+) := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)) == named


def test_the_requests_for_editors_use_existing_routes() -> None:
    requests = re.findall(r"^(GET|POST|PUT|DELETE) \{\{host\}\}([^?\s]+)", read("docs/requests.http"), re.MULTILINE)
    served = {
        (method, re.compile(re.sub(r"\{\w+\}", r"[^/]+", path)))
        for path in ROUTES.keys() - STATIC
        for method in ROUTES[path]
    }
    for method, path in requests:
        assert any(method == one and pattern.fullmatch(path) for one, pattern in served), f"{method} {path}"
    missing = [
        (method, pattern.pattern)
        for method, pattern in served
        if not any(method == one and pattern.fullmatch(path) for one, path in requests)
    ]
    assert missing == []


def test_the_payment_event_for_editors_is_signed() -> None:
    signature, body = re.findall(r"^X-Signature: (\w+)\n\n(.+)$", read("docs/requests.http"), re.MULTILINE)[0]
    assert sign("x_signature", LOCAL_SECRETS["x_signature"], body.encode(), "", 0) == {"x-signature": signature}
