"""The staff console signs in with the issuer of `AUTH=on make run`."""

import socket
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local.issuer.requests import AuthorizationRequest, OAuthError
from local.issuer.server import issuer
from local.issuer.sign_ins import USERS, SignIns, challenge_of
from local.settings import CONSOLE_SCOPE, function_variables, read_settings
from tests.api_client import ApiClient, Response, expect, over_http
from tests.local.console_client import FORM, METADATA, ORIGIN, Console, is_page, port_of, refused
from tests.local.stack import Stack


def api_with(token: str, url: str) -> ApiClient:
    send, bearer = over_http(url), f"Bearer {token}"
    return ApiClient(lambda method, path, body, headers: send(method, path, body, {**headers, "authorization": bearer}))


def test_the_metadata_names_endpoints_that_exist(console: Console) -> None:
    metadata = expect(200, console.send("GET", METADATA))
    assert metadata["issuer"] == console.issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["token_endpoint_auth_methods_supported"] == ["none"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    addresses = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 5
    for address in addresses:
        assert console.send("OPTIONS", address.removeprefix(console.issuer)).status == 200


def test_the_manager_changes_products_and_orders_of_the_stack(guarded_console: Console, guarded_stack: Stack) -> None:
    api = api_with(guarded_console.sign_in("manager")["access_token"], guarded_stack.url)
    api.create_product()
    expect(200, api.get("/api/orders"))
    expect(200, api.get("/api/reconciliation"))


def test_the_user_orders_changes_orders_but_no_products(guarded_console: Console, guarded_stack: Stack) -> None:
    tokens = guarded_console.sign_in("orders")
    assert tokens["scope"] == "openid orders:all orders:read orders:manage"
    api = api_with(tokens["access_token"], guarded_stack.url)
    [order, *_] = api.items("/api/orders")
    note = expect(201, api.call("POST", f"/api/orders/{order['id']}/notes", {"text": "Packed"}))
    assert note["actor"] == "orders"
    refusal = api.call("POST", "/api/products", {"name": "Tea", "price": "1.00", "quantity": 1})
    assert (refusal.status, refusal.json) == (403, {"message": "Forbidden"})


def test_the_stack_prints_no_code_and_no_token(guarded_console: Console, guarded_stack: Stack) -> None:
    code = guarded_console.code()
    tokens = expect(200, guarded_console.redeem(code))
    expect(200, api_with(tokens["access_token"], guarded_stack.url).get("/api/orders"))
    guarded_stack.wait_for("GET /api/orders 200")
    printed = "".join(guarded_stack.output)
    kept = [code, tokens["access_token"], tokens["id_token"], tokens["refresh_token"]]
    assert [text for text in [*kept, *guarded_console.cookies.values()] if text in printed] == []


def test_the_page_of_the_console_gets_what_it_needs_to_sign_in() -> None:
    settings = read_settings({"AUTH": "on"})
    variables = function_variables(settings, "postgresql://", "http://", "http://127.0.0.1:1")["DocsFunction"]
    assert variables == {
        "CONSOLE_ISSUER": "http://127.0.0.1:1",
        "CONSOLE_CLIENT_ID": "console",
        "CONSOLE_SCOPE": "openid catalog:write orders:all orders:read orders:manage",
        "CONSOLE_ORIGINS": "",
    }
    assert CONSOLE_SCOPE.split() == ["openid", *USERS["manager"]]
    assert "DocsFunction" not in function_variables(read_settings({}), "postgresql://", "http://")


def test_the_browser_returns_with_a_code_and_the_state_and_the_issuer(console: Console) -> None:
    returned = console.returned(console.press(console.authorize(state="a&b=<c>"), "manager"))
    assert returned.keys() == {"code", "state", "iss"}
    assert (returned["state"], returned["iss"]) == ("a&b=<c>", console.issuer)


def test_the_id_token_is_signed_with_the_published_key(console: Console) -> None:
    tokens = console.sign_in("orders")
    keys = KeySet.import_key_set(expect(200, console.send("GET", "/jwks")))
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    claims = token.claims
    assert "d" not in keys.keys[0].as_dict()
    assert (claims["iss"], claims["aud"], claims["sub"]) == (console.issuer, "console", "orders")
    assert (claims["nonce"], claims["exp"] - claims["iat"]) == ("the nonce", 3600)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims["sub"] == "orders"


def test_without_the_scope_openid_the_client_gets_no_id_token(console: Console) -> None:
    tokens = console.sign_in("manager", scope="orders:read orders:all unknown")
    assert tokens["scope"] == "orders:all orders:read"
    assert "id_token" not in tokens


def test_a_user_who_is_signed_in_is_not_asked_again(console: Console) -> None:
    console.sign_in("orders")
    for prompt in (None, "none"):
        code = console.returned(console.authorize(prompt=prompt))["code"]
        assert "catalog:write" not in expect(200, console.redeem(code))["scope"]
    assert is_page(console.authorize(prompt="login"), 200)


def test_with_the_prompt_none_nobody_is_asked(console: Console) -> None:
    returned = console.returned(console.authorize(prompt="none"))
    assert (returned["error"], returned["state"], returned["iss"]) == ("login_required", "the state", console.issuer)


def test_after_the_sign_out_the_page_asks_again(console: Console) -> None:
    for parameter in ("post_logout_redirect_uri", "logout_uri"):
        console.sign_in()
        session = dict(console.cookies)
        question = urlencode({"client_id": "console", parameter: console.address, "state": "out"})
        assert console.returned(console.send("GET", f"/logout?{question}")) == {"state": "out"}
        console.cookies = session
        assert is_page(console.authorize(), 200)


def test_the_sign_out_redirects_only_to_the_console(console: Console) -> None:
    console.sign_in()
    for fields in (
        {"client_id": "console", "post_logout_redirect_uri": "https://attacker.example/console"},
        {"client_id": "console", "logout_uri": f"{ORIGIN}/console/"},
        {"client_id": "other", "logout_uri": console.address},
        {"logout_uri": console.address},
    ):
        assert is_page(console.send("GET", f"/logout?{urlencode(fields)}"), 400)
    assert is_page(console.send("GET", "/logout"), 200)


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://attacker.example/console"},
        {"redirect_uri": f"{ORIGIN}/console/"},
        {"redirect_uri": f"{ORIGIN}/console?x=1"},
        {"redirect_uri": f"{ORIGIN}@attacker.example/console"},
        {"redirect_uri": "http://127.0.0.1:3001/console"},
        {"redirect_uri": None},
        {"client_id": "other"},
        {"client_id": None},
    ],
)
def test_an_unknown_client_or_address_gets_a_page_and_no_redirect(console: Console, changed: dict[str, str]) -> None:
    console.sign_in()
    assert is_page(console.authorize(**changed), 400)
    page = console.authorize(prompt="login")
    assert is_page(console.press(page, "manager", **{name: value or "" for name, value in changed.items()}), 400)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "other"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"),
    ],
)
def test_another_mistake_is_reported_to_the_console(
    console: Console, changed: dict[str, str | None], error: str
) -> None:
    returned = console.returned(console.authorize(**changed))
    assert (returned["error"], returned["state"], returned["iss"]) == (error, "the state", console.issuer)
    assert "code" not in returned


def test_a_user_without_any_requested_scope_is_not_signed_in(console: Console) -> None:
    returned = console.returned(console.press(console.authorize(scope="catalog:write"), "orders"))
    assert returned["error"] == "access_denied"


def test_a_code_needs_its_verifier_and_address(console: Console) -> None:
    for changed in (
        {"code_verifier": "x" * 43},
        {"code_verifier": "é"},
        {"redirect_uri": "http://localhost:3000/console"},
    ):
        code = console.code(prompt="login")
        assert refused(console.redeem(code, **changed)) == (400, "invalid_grant")
        # The code was used.
        assert refused(console.redeem(code)) == (400, "invalid_grant")
    code = console.code(prompt="login")
    assert refused(console.redeem(code, client_id="other")) == (400, "invalid_client")
    assert refused(console.redeem(code, code_verifier="")) == (400, "invalid_request")
    expect(200, console.redeem(code))


def test_a_code_that_is_used_twice_ends_the_sign_in(console: Console) -> None:
    code = console.code()
    tokens = expect(200, console.redeem(code))
    assert refused(console.redeem(code)) == (400, "invalid_grant")
    assert refused(console.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_token_is_replaced_and_its_reuse_ends_the_sign_in(console: Console) -> None:
    first = console.sign_in()
    second = expect(200, console.refresh(first["refresh_token"]))
    third = expect(200, console.refresh(second["refresh_token"]))
    assert third["scope"] == first["scope"]
    assert refused(console.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert refused(console.refresh(third["refresh_token"])) == (400, "invalid_grant")


def test_a_revoked_refresh_token_gets_no_tokens(console: Console) -> None:
    tokens, other = console.sign_in(), Console(console.issuer, ORIGIN).sign_in()

    def revoke(**fields: str) -> Response:
        return console.send("POST", "/revoke", urlencode({"client_id": "console", **fields}), **FORM)

    assert revoke(token=tokens["refresh_token"], token_type_hint="refresh_token").status == 200
    assert refused(console.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert revoke(token=tokens["refresh_token"]).status == revoke(token="unknown").status == 200
    assert refused(revoke(token=tokens["access_token"])) == (400, "unsupported_token_type")
    assert refused(revoke()) == (400, "invalid_request")
    assert refused(revoke(client_id="other", token=other["refresh_token"])) == (400, "invalid_client")
    expect(200, console.refresh(other["refresh_token"]))


def test_another_grant_type_is_refused(console: Console) -> None:
    assert refused(console.request_tokens(grant_type="password")) == (400, "unsupported_grant_type")
    assert refused(console.request_tokens()) == (400, "invalid_request")


def test_codes_sessions_and_refresh_tokens_expire() -> None:
    now = 0.0
    sign_ins = SignIns(lambda: now)
    asked = AuthorizationRequest("http://x", ["openid"], challenge_of("verifier"), None, frozenset())
    session, late = sign_ins.start_session("manager"), sign_ins.new_code("manager", asked)
    now = 59.9
    _, refresh_token = sign_ins.redeem(sign_ins.new_code("manager", asked), "http://x", "verifier")
    now = 60.0
    with pytest.raises(OAuthError, match="expired"):
        sign_ins.redeem(late, "http://x", "verifier")
    assert sign_ins.user(session) == "manager"
    now = 12 * 3600.0
    assert sign_ins.user(session) is None
    _, refresh_token = sign_ins.refresh(refresh_token)
    now += 60
    with pytest.raises(OAuthError, match="expired"):
        sign_ins.refresh(refresh_token)


def test_the_issuer_leaves_no_open_port_behind() -> None:
    with issuer(RSAKey.generate_key(2048), 3000) as url:
        expect(200, over_http(url)("GET", METADATA, None, {}))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(url)), 10)
