"""Every route responds to invalid input with a problem, and never with a 500."""

import json
from typing import Any

import pytest

from storefront import db
from storefront.routes import ROUTES, allowed_methods
from tests.api_client import UNKNOWN, ApiClient, api_event, lambda_context, load_function, target

WRITES = [("POST", "/api/products"), ("PUT", f"/api/products/{UNKNOWN}"), ("POST", "/api/orders")]
WRITES += [("PUT", f"/api/orders/{UNKNOWN}/status")]
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
WRONG_METHODS = [(method, path) for path in ROUTES for method in METHODS if method not in allowed_methods(path)]


@pytest.mark.parametrize("path", ["//", "/api", "/api/products/", "/api//products", "/api/products/a/b", "/x\0y", "/é"])
def test_an_unknown_path_returns_404(api: ApiClient, path: str) -> None:
    assert api.get(path).problem() == (404, "route-not-found")


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("path", ["/api/products\n", f"/api/products/{UNKNOWN}\n/x"])
def test_a_path_with_a_line_break_returns_404(path: str) -> None:
    event = {**api_event("GET", "/", None, {}), "rawPath": path}
    assert load_function("products").lambda_handler(event, lambda_context())["statusCode"] == 404


@pytest.mark.parametrize(("method", "path"), WRONG_METHODS)
def test_a_wrong_method_returns_405_with_the_allowed_methods(api: ApiClient, method: str, path: str) -> None:
    response = api.call(method, path.replace("{id}", UNKNOWN))
    assert response.problem() == (405, "method-not-allowed")
    assert response.headers["allow"] == ", ".join(allowed_methods(path))


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("character", ["a", "é", "~", "\U0001f375"])
def test_the_problem_about_a_long_unknown_field_is_short(
    api: ApiClient, method: str, path: str, character: str
) -> None:
    body = json.dumps({character * (200_000 // len(character.encode())): 1}, ensure_ascii=False).encode()
    response = api.call(method, path, body)
    assert response.problem() == (422, "invalid-request")
    assert len(response.text) < 10_000
    assert "…" in response.text or "%E2%80%A6" in response.text


def test_the_problem_about_a_long_unknown_parameter_is_short(api: ApiClient) -> None:
    response = api.get(f"/api/products?{'a' * 9000}=1")
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"][0]["parameter"] == "a" * 200 + "…"


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", (400, "malformed-body")),
        (b"{", (400, "malformed-body")),
        (b"{'name': 'Tea'}", (400, "malformed-body")),
        (b"\xff\xfe", (400, "malformed-body")),
        (b'"\\ud800"', (400, "malformed-body")),
        (b"[" * 100_000, (400, "malformed-body")),
        (b'{"quantity": ' + b"9" * 10_000 + b"}", (400, "malformed-body")),
        (b"NaN", (422, "invalid-request")),
        (b"null", (422, "invalid-request")),
        (b"[]", (422, "invalid-request")),
        (b"{}", (422, "invalid-request")),
        (b'{"a": NaN, "b": Infinity, "c": 1e400}', (422, "invalid-request")),
        (b'{"\\u0000": "\\u0000"}', (422, "invalid-request")),
        (b" " * (256 * 1024 + 1), (413, "body-too-large")),
    ],
)
def test_a_malformed_or_hostile_body_returns_a_problem(
    api: ApiClient, method: str, path: str, body: bytes, problem: tuple[int, str]
) -> None:
    assert api.call(method, path, body).problem() == problem


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("not_an_id", ["%22", '"', "?", "#", "\\", "🍵", "\0", "`", f"{UNKNOWN}\n"])
@pytest.mark.parametrize(("method", "collection"), [("GET", "products"), ("DELETE", "products"), ("GET", "orders")])
def test_an_id_with_odd_characters_returns_422(method: str, collection: str, not_an_id: str) -> None:
    event = api_event(method, f"/api/{collection}/x", None, {})
    event["rawPath"] = f"/api/{collection}/{not_an_id}"
    response = load_function(collection).lambda_handler(event, lambda_context())
    assert (response["statusCode"], json.loads(response["body"])["errors"][0]["parameter"]) == (422, "id")


def test_a_page_too_large_for_lambda_returns_400(api: ApiClient, database: Any) -> None:
    database.run(
        "INSERT INTO products (name, description, price, quantity)"
        " SELECT 'Tea', repeat(E'\\u0001', 10000), 1, 1 FROM generate_series(1, 100)"
    )
    assert api.get(target("/api/products", page_size=100)).problem() == (400, "page-too-large")
    response = api.get(target("/api/products", page_size=50))
    assert (response.status, len(response.json["items"])) == (200, 50)


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_body_that_is_not_declared_as_json_returns_415(
    api: ApiClient, method: str, path: str, media_type: str
) -> None:
    response = api.call(method, path, {}, {"content-type": media_type})
    assert response.problem() == (415, "unsupported-media-type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_in_other_notations(api: ApiClient, media_type: str) -> None:
    body = {"name": "Tea", "price": 1, "quantity": 1}
    assert api.call("POST", "/api/products", body, {"content-type": media_type}).status == 201


def test_a_body_with_ten_thousand_errors_lists_the_first_hundred(api: ApiClient) -> None:
    response = api.call("POST", "/api/products", {f"x{n}": n for n in range(10_000)})
    assert response.problem() == (422, "invalid-request")
    assert len(response.json["errors"]) == 100
    assert response.json["detail"].endswith("; and 10000 more")


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("body", ["abc", "é", "\ud800"], ids=["a wrong length", "not ASCII", "a lone surrogate"])
def test_invalid_base64_returns_400(body: str) -> None:
    event = api_event("POST", "/api/products", b"x", {"content-type": "application/json"})
    event.update(body=body, isBase64Encoded=True)
    response = load_function("products").lambda_handler(event, lambda_context())
    assert (response["statusCode"], json.loads(response["body"])["type"]) == (400, "/docs#malformed-body")


def test_an_unavailable_database_returns_503_with_retry_after(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    db.disconnect()
    for url in ("postgresql://postgres@/storefront?host=/nowhere", "postgresql://127.0.0.1:1/x?sslmode=disable"):
        monkeypatch.setenv("DATABASE_URL", url)
        for response in (api.get("/api/products"), api.get(f"/api/orders/{UNKNOWN}"), api.pay(UNKNOWN)):
            assert response.problem() == (503, "unavailable")
            assert int(response.headers["retry-after"]) > 0


def test_an_unexpected_error_returns_500_without_its_cause(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(db, "call", fail)
    response = api.get("/api/products")
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]
    assert response.problem() == (500, "internal-error")
    assert vars(caplog.records[0])["request_id"] in response.json["detail"]
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text


def test_a_database_error_returns_500_without_sql_or_data(api: ApiClient, database: Any) -> None:
    database.run("ALTER TABLE products ADD CONSTRAINT forbidden CHECK (name <> 'Secret tea')")
    response = api.call("POST", "/api/products", {"name": "Secret tea", "price": 1, "quantity": 1})
    assert response.problem() == (500, "internal-error")
    for leaked in ("forbidden", "Secret", "INSERT", "products", "23514"):
        assert leaked not in response.text


def test_a_request_writes_one_log_line_without_its_body(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    api.create_product(name="Canary")
    api.call("POST", "/api/products", {"name": "Canary"})
    lines = [vars(record) for record in caplog.records]
    assert [(line["route"], line["status"], line.get("problem")) for line in lines] == [
        ("POST /api/products", 201, None),
        ("POST /api/products", 422, "invalid-request"),
    ]
    assert "Canary" not in str(lines)


def test_a_failed_request_writes_one_log_line_with_the_cause(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    db.disconnect()
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@/storefront?host=/nowhere")
    api.get("/api/products")
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["status"], line["problem"]) == ("ERROR", 503, "unavailable")
    assert "FileNotFoundError" in line["cause"]


def test_an_unknown_field_or_parameter_is_called_so(api: ApiClient) -> None:
    body = {"customer_id": 1, "products": [{"product_id": UNKNOWN, "quantity": 1, "qty": 1}], "pages": 1}
    refused = api.call("POST", "/api/orders", body)
    assert sorted(refused.json["errors"], key=lambda error: error["pointer"]) == [
        {"detail": "Unknown field", "pointer": "#/pages"},
        {"detail": "Unknown field", "pointer": "#/products/0/qty"},
    ]
    assert api.get("/api/orders?pages=1").json["errors"] == [{"detail": "Unknown parameter", "parameter": "pages"}]
