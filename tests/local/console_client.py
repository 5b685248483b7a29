"""The staff console's side of a sign-in: an OAuth client, and a browser that keeps cookies but follows no redirect."""

import html
import re
import secrets
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from local.issuer.sign_ins import challenge_of
from local.settings import CONSOLE_SCOPE
from tests.api_client import Response, expect, over_http

ORIGIN = "http://127.0.0.1:3000"
"""The console's, if its issuer runs without a stack."""

METADATA = "/.well-known/openid-configuration"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Console:
    """A browser with the console of one stack."""

    issuer: str
    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def address(self) -> str:
        return f"{self.origin}/console"

    def send(self, method: str, target: str, body: str | None = None, **headers: str) -> Response:
        """Send a request to the issuer. An underscore in a header's name is a hyphen."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = over_http(self.issuer)(method, target, None if body is None else body.encode(), sent)
        for name, morsel in SimpleCookie(response.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        return response

    def question(self, **changed: str | None) -> dict[str, str]:
        """The parameters of an authorization request. None removes one."""
        good = {
            "client_id": "console",
            "redirect_uri": self.address,
            "response_type": "code",
            "scope": CONSOLE_SCOPE,
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def authorize(self, **changed: str | None) -> Response:
        return self.send("GET", f"/authorize?{urlencode(self.question(**changed))}")

    def press(self, page: Response, user: str, **changed: str) -> Response:
        """Submit the form of the page with a user's button."""
        assert page.status == 200, page
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
        fields = {name: html.unescape(value) for name, value in hidden}
        return self.send("POST", "/authorize", urlencode({**fields, "user": user, **changed}), **FORM)

    def returned(self, response: Response) -> dict[str, str]:
        """The parameters with which the browser returns to the console."""
        assert response.status in (302, 303), response
        address, _, query = response.headers["location"].partition("?")
        assert address == self.address
        return {name: value for name, [value] in parse_qs(query, strict_parsing=bool(query)).items()}

    def code(self, user: str = "manager", **changed: str | None) -> str:
        """Sign in, and return the code."""
        return self.returned(self.press(self.authorize(**changed), user))["code"]

    def request_tokens(self, **fields: str) -> Response:
        return self.send("POST", "/token", urlencode({"client_id": "console", **fields}), **FORM)

    def redeem(self, code: str, **changed: str) -> Response:
        sent = {"code": code, "redirect_uri": self.address, "code_verifier": self.verifier, **changed}
        return self.request_tokens(**{"grant_type": "authorization_code", **sent})

    def refresh(self, token: str) -> Response:
        return self.request_tokens(grant_type="refresh_token", refresh_token=token)

    def sign_in(self, user: str = "manager", **changed: str | None) -> dict[str, Any]:
        """Sign in, and return the tokens."""
        tokens: dict[str, Any] = expect(200, self.redeem(self.code(user, **changed)))
        return tokens


def refused(response: Response) -> tuple[int, str]:
    """The status and the error code of a refusal by an endpoint for scripts."""
    assert response.headers["content-type"] == "application/json"
    return response.status, response.json["error"]


def is_page(response: Response, status: int) -> bool:
    """Whether the response is a page that redirects nowhere."""
    assert response.headers["content-type"].startswith("text/html")
    return (response.status, "location" in response.headers) == (status, False)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
