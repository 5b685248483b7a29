"""`AUTH=on make run` requires tokens, and accepts only those of its own command."""

import hmac
import json
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.settings import StartError, read_settings
from local.tokens import AUDIENCE, ISSUER, Authorizer, RefusedError, issue, signing_key
from storefront.access import OPEN
from storefront.routes import ROUTES
from tests.api_client import UNKNOWN, ApiClient, Response, expect, over_http
from tests.local.stack import running, token

GUARDED = [
    (method, path) for path, methods in ROUTES.items() for method, needed in methods.items() if needed not in OPEN
]


@pytest.fixture
def client_with_token(guarded_url: str, data_dir: Path) -> Callable[..., ApiClient]:
    """A client with a token."""

    def create(*arguments: str) -> ApiClient:
        send, bearer = over_http(guarded_url), f"Bearer {token(data_dir, *arguments)}"

        def with_token(method: str, path: str, body: bytes | None, headers: Any) -> Response:
            return send(method, path, body, {**headers, "authorization": bearer})

        return ApiClient(with_token)

    return create


def test_without_a_token_only_reading_products_and_the_webhook_work(guarded_url: str) -> None:
    client = ApiClient(over_http(guarded_url))
    expect(200, client.get("/api/products"))
    assert client.pay(UNKNOWN).problem() == (404, "order-not-found")
    assert client.get("/api/nowhere").problem() == (404, "route-not-found")
    for method, path in GUARDED:
        response = client.call(method, path.replace("{id}", UNKNOWN))
        assert (response.status, response.json) == (401, {"message": "Unauthorized"}), path
        assert response.headers["www-authenticate"] == "Bearer"


def test_options_is_a_method_like_any_other(guarded_url: str) -> None:
    assert ApiClient(over_http(guarded_url)).call("OPTIONS", "/api/orders").problem() == (405, "method-not-allowed")


def test_staff_and_customers_use_tokens(client_with_token: Callable[..., ApiClient]) -> None:
    staff, customer, other = (
        client_with_token("--subject", "alice"),
        client_with_token("--customer", "7"),
        client_with_token("--customer", "8"),
    )
    tea = staff.create_product(quantity=5)
    order = customer.order((tea["id"], 1), customer_id=7)
    assert expect(200, customer.get(f"/api/orders/{order['id']}")) == order
    assert other.get(f"/api/orders/{order['id']}").problem() == (404, "order-not-found")
    assert customer.place_order((tea["id"], 1), customer_id=8).problem() == (403, "forbidden")
    refused = customer.change_status(order["id"], "completed")
    assert refused.problem() == (403, "forbidden")
    expect(200, staff.change_status(order["id"], "completed"))
    for reader, actors in ((staff, ["customer-7", "alice"]), (customer, ["customer", "shop"])):
        assert [one["actor"] for one in reader.items(f"/api/orders/{order['id']}/events")] == actors


def test_a_token_with_one_scope_opens_only_its_routes(client_with_token: Callable[..., ApiClient]) -> None:
    reader = client_with_token("--scope", "orders:read", "--scope", "orders:all")
    expect(200, reader.get("/api/orders"))
    assert reader.get("/api/reconciliation").status == 403


def test_a_token_of_neither_the_shop_nor_a_customer_opens_no_orders(
    client_with_token: Callable[..., ApiClient],
) -> None:
    assert client_with_token("--scope", "orders:read").get("/api/orders").problem() == (403, "forbidden")


def test_a_token_without_a_stack_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        token(tmp_path / "elsewhere")
    assert refused.value.stderr.startswith(f"No signing key in {tmp_path / 'elsewhere'}. Start `AUTH=on make run`")
    assert not (tmp_path / "elsewhere").exists()


def test_the_banner_shows_how_to_get_a_token_for_this_data_folder(tmp_path: Path) -> None:
    with running(tmp_path, AUTH="on") as stack:
        stack.wait_for(f"$(make -s token DATA_DIR={tmp_path})")


KEY = RSAKey.generate_key(2048)


AUTHORIZER = Authorizer(KEY, {"GET /api/orders": frozenset({"orders:read", "storefront/orders:read"})})


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "scope": "orders:read", "iat": now, "exp": now + 60}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(key: RSAKey = KEY, **changed: Any) -> str:
    return jwt.encode({"alg": "RS256"}, claims(**changed), key)


def handmade(algorithm: str, sign: Callable[[bytes], bytes]) -> str:
    """Return an invalid token that no library creates."""
    return with_header({"alg": algorithm}, sign)


def with_header(header: dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"signature") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims())]
    content = b".".join(map(urlsafe_b64encode, parts)).replace(b"=", b"")
    return (content + b"." + urlsafe_b64encode(sign(content)).replace(b"=", b"")).decode()


def forged_tokens() -> dict[str, str]:
    head, body, signature = signed().split(".")
    public = KEY.as_pem(private=False)
    return {
        "another key": signed(RSAKey.generate_key(2048)),
        "no algorithm": handmade("none", lambda _: b""),
        "the public key as an HMAC key": handmade("HS256", lambda content: hmac.digest(public, content, "sha256")),
        "no signature": f"{head}.{body}.",
        "another signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "another body": f"{head}.{signed(sub='other').split('.')[1]}.{signature}",
        "expired": signed(exp=int(time.time()) - 1),
        "no expiry": signed(exp=None),
        "not valid yet": signed(nbf=int(time.time()) + 60),
        "another issuer": signed(iss="https://other.invalid"),
        "another audience": signed(aud="other"),
        "no audience": signed(aud=None),
        "an invalid critical header": with_header({"alg": "RS256", "crit": [5]}),
        "not a token": "not a token",
        "empty": "Bearer ",
        "dots": "..",
        "NUL": "\0",
        "not ASCII": "é.é.é",
    }


@pytest.mark.parametrize("name", forged_tokens())
def test_a_forged_token_is_refused(name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        AUTHORIZER.context("GET /api/orders", f"Bearer {forged_tokens()[name]}")
    assert refused.value.status == 401


def test_the_event_has_claims_in_the_format_of_api_gateway() -> None:
    bearer = signed(customer_id=7, groups=["a", "b"], verified=True, exp=4102444800, iat=1)
    context = AUTHORIZER.context("GET /api/orders", f"bearer {bearer}")
    assert context == {
        "jwt": {
            "claims": {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": "s",
                "scope": "orders:read",
                "iat": "1",
                "exp": "4102444800",
                "customer_id": "7",
                "groups": "[a b]",
                "verified": "true",
            },
            "scopes": ["orders:read", "storefront/orders:read"],
        }
    }


def test_the_key_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "data")
    assert signing_key(tmp_path / "data").as_dict(private=True) == first.as_dict(private=True)
    assert (tmp_path / "data" / "token-key.pem").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["token-key.pem"]


def test_a_customer_s_token_has_the_scopes_of_customers() -> None:
    context = AUTHORIZER.context("GET /api/orders", issue(KEY, "customer-7", ["orders:read"], 1, 7))
    assert context is not None
    assert context["jwt"]["claims"]["customer_id"] == "7"


def test_auth_is_on_or_off() -> None:
    assert read_settings({"AUTH": "on"}).auth
    assert not read_settings({}).auth
    with pytest.raises(StartError, match="on or off"):
        read_settings({"AUTH": "yes"})
