"""Emulate API Gateway's HTTP API with SAM CLI's emulator, corrected where it differs from AWS."""

import json
import logging
import re
import socket
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Flask, Request, Response, g, request
from rich.text import Text
from samcli.lib.providers.provider import Api
from samcli.local.apigw import local_apigw_service
from samcli.local.apigw.event_constructor import construct_v2_event_http
from samcli.local.apigw.exceptions import LambdaResponseParseException
from samcli.local.apigw.local_apigw_service import CatchAllPathConverter, LocalApigwService
from samcli.local.apigw.path_converter import PathConverter
from samcli.local.apigw.route import Route
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, make_server

from local.environments import InvocationError
from local.http_server import RequestHandler
from local.lambdas import LambdaRunner
from local.terminal import PATH_CHARACTERS, print_error, print_now, request_line
from local.tokens import Authorizer, RefusedError
from storefront.routes import DEFAULT_ROUTE, ROUTES, Access

MAX_BODY = 10 * 1024 * 1024
"""Bytes of a request body: the HTTP API's quota."""

MAX_EVENT = 6 * 1024 * 1024
"""Characters of an event's JSON text: Lambda's quota. The emulator would cut longer text off."""

_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", re.IGNORECASE)

# A redirect and a 204 have no body.
logging.getLogger(local_apigw_service.__name__).addFilter(
    lambda record: record.getMessage() != "Lambda returned empty body!"
)


class Gateway(LocalApigwService):  # type: ignore[misc]  # SAM CLI has no types.
    """An HTTP API in front of Lambda functions."""

    def __init__(
        self, api: Api, runner: LambdaRunner, port: int, authorizer: Authorizer | None, *, report: bool
    ) -> None:
        """authorizer: None if no route needs a token. report: print the requests that reach no function."""
        super().__init__(api, runner, port=port, host="127.0.0.1")
        self._authorizer = authorizer
        self._report = report
        self._default_route = next((route for route in api.routes if route.path == DEFAULT_ROUTE), None)
        self._routes = _route_map(api)
        self.create()

    def create(self) -> None:
        """Create the WSGI application."""
        self._app = Flask(__name__, static_folder=None)
        self._app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
        self._app.register_error_handler(HTTPException, _error_response)
        # Before Flask's own routing, which would respond to some requests itself: 308 for slashes, 405 for methods.
        self._app.before_request(self._request_handler)
        if self._report:
            self._app.after_request(_report_own_response)

    def make_server(self, listener: socket.socket) -> BaseWSGIServer:
        """Create the HTTP server on a bound socket. It listens after server_activate()."""
        host, port = listener.getsockname()
        return make_server(host, port, self._app, threaded=True, request_handler=RequestHandler, fd=listener.fileno())

    def _request_handler(self, **_: Any) -> Response:
        # SAM CLI's own handler returns 502 for a failed function where AWS returns 500, and counts requests for its
        # telemetry.
        g.started = time.perf_counter()
        route, path_parameters = self._match(request)
        if not self._may_reach(route, request):
            return _message(HTTPStatus.MISDIRECTED_REQUEST, "Use http://127.0.0.1, or start with AUTH=on")
        request.view_args = path_parameters
        event = self._generate_lambda_event(request, route, request.method, route.path)
        if len(json.dumps(event)) > MAX_EVENT:
            raise RequestEntityTooLarge
        try:
            self._authorize(event)
            output = self._invoke_lambda_function(route.function_name, event)
            status, headers, body = self._parse_v2_payload_format_lambda_output(output, [], request)
        except RefusedError as refused:
            return _refusal(refused)
        except (InvocationError, LambdaResponseParseException) as error:
            self._report_failure(f"{route.function_name}: {error}")
            raise InternalServerError from error
        g.is_reported = True
        response: Response = self.service_response(body, headers, status)
        return response

    def _may_reach(self, route: Route, flask_request: Request) -> bool:
        # A page of any website can let its own name point to 127.0.0.1 and so read responses (DNS rebinding). Then the
        # host is that name. Without tokens, only signed events may come from elsewhere, such as a tunnel.
        if self._authorizer is not None or _OWN_HOST.fullmatch(flask_request.headers.get("Host", "")):
            return True
        return ROUTES.get(route.path, {}).get(flask_request.method) is Access.SIGNATURE

    def _report_failure(self, failure: str) -> None:
        if self._report:
            g.failure = failure
        else:
            print_error(failure)

    def _authorize(self, event: dict[str, Any]) -> None:
        if self._authorizer is not None:
            context = self._authorizer.context(event["routeKey"], event["headers"].get("authorization"))
            if context is not None:
                event["requestContext"]["authorizer"] = context

    def _match(self, flask_request: Request) -> tuple[Route, dict[str, str]]:
        try:
            routes = self._routes.bind("")
            rule, values = routes.match(flask_request.path, flask_request.method, return_rule=True)
        except HTTPException as error:
            # API Gateway treats an unknown method like an unknown path.
            if self._default_route is None:
                raise NotFound from error
            return self._default_route, {}
        return rule.endpoint, dict(values)

    def _generate_lambda_event(
        self, flask_request: Request, route: Route, method: str, endpoint: str
    ) -> dict[str, Any]:
        if not flask_request.query_string.isascii():
            # Not allowed in a URL (RFC 3986). SAM CLI would fail to decode it.
            raise BadRequest
        now = datetime.now(UTC)
        event: dict[str, Any] = construct_v2_event_http(
            flask_request,
            self.port,
            # SAM CLI fails on a body that is not UTF-8. API Gateway sends it as base64.
            binary_types=[] if _is_utf8(flask_request.get_data()) else ["*/*"],
            stage_name=self.api.stage_name,
            stage_variables=self.api.stage_variables,
            route_key=DEFAULT_ROUTE if route is self._default_route else f"{method} {endpoint}",
            # SAM CLI's default is the time of its import, in seconds.
            request_time_epoch=int(now.timestamp() * 1000),
            request_time=now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        )
        return _corrected(event, flask_request)


def _route_map(api: Api) -> Map:
    # In API Gateway, "/api/products/" and "/api//products" are different paths.
    routes = Map(strict_slashes=True, merge_slashes=False, redirect_defaults=False)
    routes.converters["path"] = CatchAllPathConverter
    for route in api.routes:
        if route.path != DEFAULT_ROUTE:
            path = PathConverter.convert_path_to_flask(route.path)
            rule = Rule(path, methods=route.methods, endpoint=route)
            # Werkzeug adds HEAD to every GET, and SAM CLI adds OPTIONS to the routes of an API with CORS. API Gateway
            # does neither.
            rule.methods = set(route.methods) - {"OPTIONS"}
            routes.add(rule)
    return routes


def _corrected(event: dict[str, Any], flask_request: Request) -> dict[str, Any]:
    # SAM CLI keeps the case of headers, the cookie header and empty fields. API Gateway does not.
    headers = {name.lower(): value for name, value in event["headers"].items()}
    cookie = headers.pop("cookie", "")
    headers["x-forwarded-for"] = flask_request.remote_addr
    event["headers"] = headers
    event["cookies"] = [pair.strip() for pair in cookie.split(";") if pair.strip()]
    for field in ("body", "cookies", "pathParameters", "stageVariables"):
        if not event[field]:
            del event[field]
    # SAM CLI gives all requests the same ID, and an invented user agent.
    event["requestContext"]["requestId"] = str(uuid.uuid4())
    event["requestContext"]["http"]["userAgent"] = headers.get("user-agent", "")
    return event


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refusal(refused: RefusedError) -> Response:
    response = _message(refused.status, refused.status.phrase)
    response.headers["WWW-Authenticate"] = refused.challenge
    g.note = "no access token" if refused.challenge == "Bearer" else refused.challenge
    return response


def _report_own_response(response: Response) -> Response:
    # Functions log their own requests, with more details.
    if "is_reported" not in g:
        milliseconds = (time.perf_counter() - g.started) * 1000
        path = quote(request.path, safe=PATH_CHARACTERS)
        note = g.get("failure") or g.get("note", "")
        style = "bold red" if "failure" in g else "yellow"
        print_now(request_line(request.method, path, response.status_code, milliseconds, Text(note, style)))
    return response


def _error_response(error: HTTPException) -> Response:
    # API Gateway uses HTTP's phrases: "Internal Server Error", "Not Found", "Request Entity Too Large".
    return _message(error.code, error.name)


def _message(status: int | None, text: str) -> Response:
    return Response(json.dumps({"message": text}), status, content_type="application/json")
