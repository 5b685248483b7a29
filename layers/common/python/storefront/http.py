"""API Gateway event in (payload 2.0), response out: bodies, parameters, problems, and one log line a request."""

import base64
import binascii
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError

from storefront import errors, routes
from storefront.fields import Id
from storefront.powertools import APIGatewayHttpResolver, APIGatewayProxyEventV2, Logger, Response

MAX_BODY_BYTES = 256 * 1024
MAX_ERRORS = 100
"""How many broken rules are listed; a body of 256 KiB can break enough of them to outgrow Lambda's 6 MB answer."""

JSON = "application/json"

Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]
Model = TypeVar("Model", bound=BaseModel)

logger = Logger(service="storefront", location=None)
_id = TypeAdapter(Id)

# What the request's line says beside the usual. An execution environment has one request at a time.
_remarks: dict[str, Any] = {}


def create_app() -> APIGatewayHttpResolver:
    """A router that answers every problem, and everything unexpected, as application/problem+json."""
    app = APIGatewayHttpResolver()
    app.exception_handler(errors.Problem)(_problem_response)
    app.exception_handler(Exception)(_internal_error)
    app.not_found(lambda _: _problem_response(_unmatched(app.current_event)))
    return app


def lambda_handler(app: APIGatewayHttpResolver) -> Handler:
    """The function's entry point: the router, and one line about the request."""

    def handle(event: Event, context: Any) -> dict[str, Any]:
        started = time.perf_counter()
        response = app.resolve(event, context)
        request = event["requestContext"]
        log = logger.error if response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR else logger.info
        log(
            "request",
            method=request["http"]["method"],
            route=event["routeKey"],
            status=response["statusCode"],
            duration_ms=round((time.perf_counter() - started) * 1000, 2),
            request_id=request["requestId"],
            **_remarks,
        )
        _remarks.clear()
        return response

    return handle


def raw_body(event: APIGatewayProxyEventV2) -> bytes:
    """The bytes that the client sent, with API Gateway's base64 undone. Raises BodyTooLarge over 256 KiB."""
    text = event.get("body") or ""
    try:
        # A lone surrogate cannot come from UTF-8; let through here, it is refused as malformed where it is parsed.
        body = base64.b64decode(text) if event.is_base64_encoded else text.encode("utf-8", "surrogatepass")
    except binascii.Error:
        raise errors.MalformedBody("The body is not the base64 that the request says it is.") from None
    if len(body) > MAX_BODY_BYTES:
        raise errors.BodyTooLarge(f"The body has {len(body)} bytes; at most {MAX_BODY_BYTES} are taken.")
    return body


def parse_json(event: APIGatewayProxyEventV2, model: type[Model], body: bytes | None = None) -> Model:
    """The body as a model. Raises UnsupportedMediaType, BodyTooLarge, MalformedBody or InvalidRequest."""
    media_type = event.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise errors.UnsupportedMediaType(f"The body should come with Content-Type: {JSON}.")
    try:
        return model.model_validate_json(raw_body(event) if body is None else body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise errors.MalformedBody(first["msg"]) from None
        raise _invalid(error, lambda location: {"pointer": _pointer(location)}) from None


def parse_parameters(event: APIGatewayProxyEventV2, model: type[Model]) -> Model:
    """The query string as a model. Raises InvalidRequest."""
    try:
        return model.model_validate(event.query_string_parameters)
    except ValidationError as error:
        raise _invalid(error, lambda location: {"parameter": str(location[0])}) from None


def parse_id(value: str) -> str:
    """A UUID from the path, in lower case. Raises InvalidRequest."""
    try:
        return _id.validate_python(value)
    except ValidationError:
        detail = "The id in the path should be a UUID."
        raise errors.InvalidRequest(detail, errors=[{"detail": detail, "parameter": "id"}]) from None


def json_response(body: str, status: int = 200, **headers: str) -> Response[str]:
    return Response(status, JSON, body, headers=dict(headers))


def no_content() -> Response[str]:
    return Response(204)


def _unmatched(event: APIGatewayProxyEventV2) -> errors.Problem:
    route = routes.match(event.path)
    if route is None:
        return errors.RouteNotFound("There is no such path.")
    methods = ", ".join(sorted(routes.ROUTES[route]))
    return errors.MethodNotAllowed(f"This path takes {methods}.", headers={"Allow": methods})


def _problem_response(problem: errors.Problem) -> Response[str]:
    _remarks["problem"] = problem.kind
    if problem.__cause__ is not None:
        _remarks["cause"] = repr(problem.__cause__)
    return Response(problem.status, errors.MEDIA_TYPE, problem.body(), headers=dict(problem.headers))


def _internal_error(error: Exception) -> Response[str]:
    _remarks["exc_info"] = error
    return _problem_response(errors.InternalError("The request was not carried out; the cause is in our log."))


def _invalid(error: ValidationError, where: Callable[[tuple[int | str, ...]], dict[str, str]]) -> errors.InvalidRequest:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    listed = [{"detail": one["msg"], **where(one["loc"])} for one in found[:MAX_ERRORS]]
    detail = "; ".join(f"{one.get('pointer') or one['parameter']}: {one['detail']}" for one in listed[:3])
    if len(found) > len(listed):
        detail = f"{len(found)} rules are broken, of which {len(listed)} are listed. {detail}"
    return errors.InvalidRequest(detail, errors=listed)


def _pointer(location: tuple[int | str, ...]) -> str:
    # RFC 6901, sections 3 and 6: a JSON Pointer as a URI fragment.
    return "#" + "".join("/" + quote(str(step).replace("~", "~0").replace("/", "~1")) for step in location)
