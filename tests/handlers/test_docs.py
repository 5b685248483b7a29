"""The OpenAPI document, and the page that renders it."""

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path

import pytest

from openapi.problems import description, every_problem, example
from storefront import static_files
from storefront.errors import Problem
from tests.api_client import ROOT, ApiClient, api_event, expect, lambda_context, load_function
from tests.handlers.pages import ONLY_OWN_FILES, Elements, directives

DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())


@pytest.fixture
def page(api: ApiClient) -> Elements:
    return Elements(api.get("/docs").text)


def test_the_served_openapi_document_is_the_file(api: ApiClient) -> None:
    assert expect(200, api.get("/openapi.json")) == DOCUMENT


def test_the_root_leads_to_the_page(api: ApiClient) -> None:
    response = api.get("/")
    assert (response.status, response.headers["location"], response.text) == (302, "/docs", "")
    assert api.call("POST", "/", {}).problem() == (405, "method-not-allowed")


@pytest.mark.parametrize("kind", every_problem(), ids=lambda kind: kind.kind)
def test_a_problem_type_links_to_its_paragraph(api: ApiClient, kind: type[Problem]) -> None:
    paragraph = api.get("/docs").text.partition(f'<article id="{kind.kind}">')[2].partition("</article>")[0]
    words, _, shown = html.unescape(re.sub("<(?!pre).+?>", "", paragraph)).partition("<pre>")
    assert words.split() == f"{kind.kind} {kind.status} {kind.title} {description(kind).replace('`', '')}".split()
    assert json.loads(shown) == example(kind)


def test_each_problem_has_an_element_id_on_the_page(page: Elements) -> None:
    assert page.ids == {"api", "problems", *(kind.kind for kind in every_problem())}


def test_the_page_refers_to_no_other_host(page: Elements) -> None:
    paragraphs = {f"#{kind.kind}" for kind in every_problem()}
    assert page.addresses == {"data:,", "openapi.json", *files_of(page), *paragraphs}


def files_of(page: Elements) -> list[str]:
    """The paths of the page's style and script."""
    files = [one for one in page.addresses if re.fullmatch(r"/docs/[0-9a-f]{16}\.(css|js)", one)]
    return sorted(files, key=lambda one: one.endswith(".js"))


def test_the_content_security_policy_allows_only_files_of_this_server(api: ApiClient, page: Elements) -> None:
    assert page.contents == {}
    assert directives(api.get("/docs")) == ONLY_OWN_FILES


def test_a_file_of_the_page_is_named_by_its_content_and_immutable(api: ApiClient, page: Elements) -> None:
    for path, media_type in zip(files_of(page), ("text/css", "text/javascript"), strict=True):
        response = api.get(path)
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert path.startswith(f"/docs/{hashlib.sha256(response.text.encode()).hexdigest()[:16]}.")


@pytest.mark.parametrize(
    "path", ["/docs/x.js", "/docs/..", "/docs/openapi.json", "/docs/%2e%2e", "/docs/é", "/docs/a/b"]
)
def test_another_file_is_not_found(api: ApiClient, path: str) -> None:
    assert api.get(path).problem() == (404, "route-not-found")


def test_the_built_files_are_those_that_a_laptop_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_files, "BUILT", tmp_path / "built")
    made = static_files.load()
    static_files.build(tmp_path / "built")
    monkeypatch.setattr(static_files, "make", None)
    assert static_files.load() == made


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_a_matching_if_none_match_returns_304(api: ApiClient, path: str) -> None:
    first = api.get(path)
    for etag in (first.headers["etag"], first.headers["etag"].removeprefix("W/"), "*"):
        again = api.call("GET", path, headers={"if-none-match": etag})
        assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])
    assert api.call("GET", path, headers={"if-none-match": '"other"'}).text == first.text


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_response_is_compressed_for_clients_that_accept_gzip(api: ApiClient, path: str) -> None:
    event = api_event("GET", path, None, {"accept-encoding": "gzip, br"})
    response = load_function("docs").lambda_handler(event, lambda_context())
    assert response["headers"].items() >= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}.items()
    assert gzip.decompress(base64.b64decode(response["body"])).decode() == api.get(path).text


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        *(("gzip", "gzip"), ("br, GZIP", "gzip"), ("gzip;q=0.5", "gzip"), ("deflate,gzip ; q=1", "gzip")),
        *(("", None), ("br", None), ("gzip;q=0", None), ("br, gzip; q=0", None), ("xgzip", None)),
    ],
)
def test_only_a_client_that_accepts_gzip_gets_it(accepted: str, coding: str | None) -> None:
    event = api_event("GET", "/openapi.json", None, {"accept-encoding": accepted})
    response = load_function("docs").lambda_handler(event, lambda_context())
    assert (response["headers"].get("Content-Encoding"), response["isBase64Encoded"]) == (coding, coding is not None)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_is_read_only(api: ApiClient, path: str) -> None:
    assert api.call("POST", path, {}).problem() == (405, "method-not-allowed")
    assert api.get(f"{path}/").problem() == (404, "route-not-found")
