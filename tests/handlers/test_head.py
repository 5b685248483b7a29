"""HEAD, wherever GET works (RFC 9110, section 9.3.2)."""

import pytest

from storefront.access import OPEN
from storefront.routes import ROUTES
from tests.api_client import UNKNOWN, ApiClient, Response, api_event, lambda_context, load_function
from tests.handlers.tokens import SCOPES, WITHOUT_TOKEN, client_with_scopes

READ = sorted(path for path, methods in ROUTES.items() if "GET" in methods)


def without_length(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "content-length"}


def assert_head_is_get_without_its_body(api: ApiClient, path: str) -> Response:
    got, head = api.get(path), api.call("HEAD", path)
    assert (head.status, without_length(head), head.text) == (got.status, got.headers, "")
    return head


@pytest.mark.parametrize("path", READ)
def test_head_returns_the_status_and_the_headers_of_get(api: ApiClient, path: str) -> None:
    head = assert_head_is_get_without_its_body(api, path.replace("{id}", UNKNOWN))
    assert head.status in (200, 302, 404)


def test_head_of_a_product_has_its_etag_and_the_length_of_its_body(api: ApiClient) -> None:
    path = f"/api/products/{api.create_product(name='Grüner Tee')['id']}"
    head = assert_head_is_get_without_its_body(api, path)
    assert head.headers["etag"]
    assert int(head.headers["content-length"]) == len(api.get(path).text.encode())
    fresh = api.call("HEAD", path, headers={"If-None-Match": head.headers["etag"]})
    assert (fresh.status, "content-length" in fresh.headers) == (304, False)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_head_of_a_compressed_document_has_its_compressed_length(api: ApiClient, path: str) -> None:
    head = api.call("HEAD", path, headers={"Accept-Encoding": "gzip"})
    assert (head.headers["content-encoding"], head.text) == ("gzip", "")
    assert 1000 < int(head.headers["content-length"]) < len(api.get(path).text) / 2


@pytest.mark.parametrize("path", [path for path in READ if ROUTES[path]["GET"] not in OPEN])
def test_head_needs_the_scope_of_get(api: ApiClient, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api
    monkeypatch.setenv("AUTH", "on")
    path, needed = path.replace("{id}", UNKNOWN), ROUTES[path]["GET"]
    others = client_with_scopes(*(scope for scope in SCOPES if scope != needed))
    assert assert_head_is_get_without_its_body(WITHOUT_TOKEN, path).status == 401
    assert assert_head_is_get_without_its_body(others, path).status == 403
    assert assert_head_is_get_without_its_body(client_with_scopes(needed), path).status in (200, 404)


@pytest.mark.parametrize("path", sorted(ROUTES.keys() - READ))
def test_head_without_a_get_returns_405(api: ApiClient, path: str) -> None:
    head = api.call("HEAD", path.replace("{id}", UNKNOWN))
    assert (head.status, head.text, "HEAD" in head.headers["allow"]) == (405, "", False)


def test_head_is_logged_as_head(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    api.call("HEAD", "/api/products")
    [line] = [vars(record) for record in caplog.records]
    assert (line["method"], line["route"], line["status"]) == ("HEAD", "HEAD /api/products", 200)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("method", ["head", "Head"])
def test_the_function_accepts_head_in_any_case(method: str) -> None:
    event = api_event("HEAD", "/api/products", None, {})
    event["requestContext"]["http"]["method"] = method
    response = load_function("products").lambda_handler(event, lambda_context())
    assert (response["statusCode"], response["body"]) == (200, "")
