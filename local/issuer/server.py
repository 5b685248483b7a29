"""The endpoints of the issuer. They have another port than the console, so another origin, as in production."""

import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc.jwk import RSAKey
from werkzeug.exceptions import HTTPException, UnsupportedMediaType
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from local.http_server import RequestHandler
from local.issuer import documents, pages
from local.issuer.requests import MAX_LENGTH, AuthorizationRequest, OAuthError, parameters, required
from local.issuer.sign_ins import USERS, Grant, SignIns
from local.port import bound_socket
from local.settings import CONSOLE_CLIENT_ID, LOOPBACK

SESSION_COOKIE = "storefront-local-session"
FORM_COOKIE = "storefront-local-form"
"""Cookies ignore ports: the browser sends them to every server of 127.0.0.1. So the names do not clash with others."""

_FORM = "application/x-www-form-urlencoded"
_FORM_FIELDS = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)
_METADATA = "/.well-known/openid-configuration"
_FOR_SCRIPTS = {_METADATA, "/jwks", "/token", "/revoke"}
"""The endpoints that the console's script calls. The others are for the browser's address bar."""

Values = dict[str, str]

_POLL_INTERVAL = 0.1
"""Seconds until the server notices that it should stop."""


@contextmanager
def issuer(key: RSAKey, console_port: int) -> Iterator[str]:
    """Run the issuer for the console of a stack on this port, and yield the issuer's URL."""
    with bound_socket(0) as listener:
        port = listener.getsockname()[1]
        app = Issuer(key, f"http://{LOOPBACK}:{port}", console_port).app()
        server = make_server(LOOPBACK, port, app, threaded=True, request_handler=_Silent, fd=listener.fileno())
        server.server_activate()
        thread = Thread(target=server.serve_forever, args=(_POLL_INTERVAL,), name="issuer", daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{port}"
        finally:
            server.shutdown()
            thread.join()


class _Silent(RequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Print nothing: the request lines contain codes."""


class Issuer:
    """An OpenID Connect issuer with one public client."""

    def __init__(self, key: RSAKey, url: str, console_port: int) -> None:
        self._key = key
        self._url = url
        self._origins = [f"http://{LOOPBACK}:{console_port}", f"http://localhost:{console_port}"]
        self._redirect_uris = {f"{origin}/console" for origin in self._origins}
        self._headers = pages.headers(self._origins)
        self._sign_ins = SignIns()

    def app(self) -> Flask:
        """Create the WSGI application."""
        app = Flask(__name__, static_folder=None, template_folder=str(pages.FOLDER))
        app.config["MAX_CONTENT_LENGTH"] = MAX_LENGTH
        app.before_request(self._check_host)
        app.after_request(self._with_headers)
        app.register_error_handler(OAuthError, self._refuse)
        app.register_error_handler(HTTPException, self._refuse_http)
        app.get(_METADATA)(self._metadata)
        app.get("/jwks")(self._jwks)
        app.get("/authorize")(self._authorize)
        app.post("/authorize", endpoint="sign_in")(self._sign_in)
        app.post("/token")(self._token)
        app.post("/revoke")(self._revoke)
        app.route("/logout", methods=["GET", "POST"])(self._logout)
        app.get("/style.css")(lambda: Response(pages.STYLE, content_type="text/css; charset=utf-8"))
        return app

    def _metadata(self) -> Response:
        return jsonify(documents.metadata(self._url))

    def _jwks(self) -> Response:
        return jsonify(documents.key_set(self._key))

    def _authorize(self) -> AnyResponse:
        values = parameters(request.query_string)
        self._check_redirect(values, "redirect_uri")
        try:
            return self._without_asking(values) or _sign_in_page(values)
        except OAuthError as error:
            return self._redirect_with_error(values, error)

    def _without_asking(self, values: Values) -> AnyResponse | None:
        """Redirect with a code if a user is signed in. None if the page must ask. Raises OAuthError."""
        asked = AuthorizationRequest.read(values)
        user = self._sign_ins.user(request.cookies.get(SESSION_COOKIE))
        if user and asked.prompt <= {"none"}:
            return self._redirect_with_code(values, asked, user)
        if "none" in asked.prompt:
            raise OAuthError("login_required", "No user is signed in")
        return None

    def _sign_in(self) -> AnyResponse:
        values = _form()
        self._check_redirect(values, "redirect_uri")
        if not _is_own_form(values):
            return _page("The form is out of date", "Return to the console, and sign in again.", HTTPStatus.FORBIDDEN)
        user = required(values, "user")
        if user not in USERS:
            raise OAuthError("invalid_request", "The test user does not exist")
        try:
            response = self._redirect_with_code(values, AuthorizationRequest.read(values), user)
        except OAuthError as error:
            return self._redirect_with_error(values, error)
        _set_cookie(response, SESSION_COOKIE, self._sign_ins.start_session(user))
        return response

    def _token(self) -> Response:
        values = _form()
        _check_client(values)
        grant_type = required(values, "grant_type")
        if grant_type == "authorization_code":
            code, redirect_uri = required(values, "code"), required(values, "redirect_uri")
            grant, refresh_token = self._sign_ins.redeem(code, redirect_uri, required(values, "code_verifier"))
            return self._tokens(grant, refresh_token, grant.nonce)
        if grant_type == "refresh_token":
            grant, refresh_token = self._sign_ins.refresh(required(values, "refresh_token"))
            # OpenID Connect Core, section 12.2: no nonce.
            return self._tokens(grant, refresh_token, None)
        raise OAuthError("unsupported_grant_type", "The grant_type must be authorization_code or refresh_token")

    def _tokens(self, grant: Grant, refresh_token: str, nonce: str | None) -> Response:
        return jsonify(documents.token_response(self._key, self._url, grant, refresh_token, nonce))

    def _revoke(self) -> Response:
        values = _form()
        _check_client(values)
        token = required(values, "token")
        if token.count(".") == 2:  # noqa: PLR2004  A JWT has three parts.
            raise OAuthError(
                "unsupported_token_type", "Access tokens cannot be revoked: they are checked without the issuer"
            )
        self._sign_ins.revoke(token)
        return Response()

    def _logout(self) -> AnyResponse:
        values = _form() if request.method == "POST" else parameters(request.query_string)
        # Cognito's name for the parameter of OpenID Connect.
        parameter = "logout_uri" if "logout_uri" in values else "post_logout_redirect_uri"
        if parameter in values:
            self._check_redirect(values, parameter)
        self._sign_ins.end_session(request.cookies.get(SESSION_COOKIE))
        if parameter in values:
            response = _redirect(values[parameter], {"state": values.get("state")})
        else:
            response = _page("You are signed out", "You can close this page.", HTTPStatus.OK)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Lax")
        return response

    def _check_redirect(self, values: Values, parameter: str) -> None:
        """Raise OAuthError if the client or its address is unknown. Then nothing may redirect there."""
        _check_client(values)
        if required(values, parameter) not in self._redirect_uris:
            raise OAuthError("invalid_request", f"The {parameter} must be {' or '.join(sorted(self._redirect_uris))}")

    def _redirect_with_code(self, values: Values, asked: AuthorizationRequest, user: str) -> AnyResponse:
        code = self._sign_ins.new_code(user, asked)
        return _redirect(asked.redirect_uri, {"code": code, "state": values.get("state"), "iss": self._url})

    def _redirect_with_error(self, values: Values, error: OAuthError) -> AnyResponse:
        fields = {"error": error.error, "error_description": error.description}
        return _redirect(values["redirect_uri"], {**fields, "state": values.get("state"), "iss": self._url})

    def _check_host(self) -> Response | None:
        # A page of any website can let its own name point to 127.0.0.1 (DNS rebinding). Then the host is that name.
        if f"http://{request.headers.get('Host', '')}" == self._url:
            return None
        return _page("Another host", f"Use {self._url}.", HTTPStatus.MISDIRECTED_REQUEST)

    def _with_headers(self, response: Response) -> Response:
        response.headers.update(self._headers)
        if request.path in _FOR_SCRIPTS:
            response.headers["Vary"] = "Origin"
            origin = request.headers.get("Origin")
            if origin in self._origins:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    def _refuse(self, error: OAuthError) -> AnyResponse:
        if request.path in _FOR_SCRIPTS:
            response = jsonify(error=error.error, error_description=error.description)
            response.status_code = HTTPStatus.BAD_REQUEST
            return response
        return _page("The request cannot be used", f"{error.description}.", HTTPStatus.BAD_REQUEST)

    def _refuse_http(self, error: HTTPException) -> AnyResponse:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        response = self._refuse(OAuthError("server_error" if failed else "invalid_request", status.phrase))
        response.status_code = status
        return response


def _form() -> Values:
    if request.mimetype != _FORM:
        raise UnsupportedMediaType
    return parameters(request.get_data())


def _check_client(values: Values) -> None:
    if required(values, "client_id") != CONSOLE_CLIENT_ID:
        raise OAuthError("invalid_client", f"The client_id must be {CONSOLE_CLIENT_ID}")


def _sign_in_page(values: Values) -> Response:
    token = _form_cookie() or secrets.token_urlsafe(32)
    fields = {name: values[name] for name in _FORM_FIELDS if name in values}
    response = Response(pages.sign_in(values["redirect_uri"], {**fields, "form_token": token}))
    _set_cookie(response, FORM_COOKIE, token)
    return response


def _form_cookie() -> str | None:
    value = request.cookies.get(FORM_COOKIE, "")
    return value if re.fullmatch(r"[A-Za-z0-9_-]{43}", value) else None


def _is_own_form(values: Values) -> bool:
    """Whether the form is from the page that this browser got."""
    # The header Origin is no proof: with the page's Referrer-Policy, browsers send null.
    cookie = _form_cookie()
    return cookie is not None and hmac.compare_digest(values.get("form_token", "").encode(), cookie.encode())


def _set_cookie(response: AnyResponse, name: str, value: str) -> None:
    # Without Secure: Safari does not store such a cookie of http://127.0.0.1.
    response.set_cookie(name, value, httponly=True, samesite="Lax")


def _page(title: str, text: str, status: HTTPStatus) -> Response:
    return Response(pages.message(title, text), status)


def _redirect(address: str, fields: dict[str, str | None]) -> AnyResponse:
    sent = urlencode({name: value for name, value in fields.items() if value is not None})
    # 303 turns a POST into a GET, so that the browser does not send the form to the console.
    return redirect(f"{address}?{sent}" if sent else address, HTTPStatus.SEE_OTHER)
