"""Requests and responses of API Gateway (payload 2.0): bodies, parameters, problems, and one log line per request."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from storefront import access, errors, etags, routes
from storefront.cold_start.powertools import APIGatewayHttpResolver, APIGatewayProxyEventV2, Response
from storefront.fields import MAX_INTEGER, Id, PositiveInteger, QueryInteger
from storefront.invocations import EXPECTED, form_of, is_request
from storefront.log import logger

MAX_BODY_BYTES = 256 * 1024
"""Of a request, except a payment event."""
MAX_RESPONSE_BYTES = 6_000_000
"""Characters. Slightly less than Lambda's 6 MB, which include the status and the headers.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MAX_ERRORS = 100
"""The maximum of broken rules in a response. A body can break so many that the response would be too large."""

MAX_STEP = 200
"""Characters of a field's or parameter's name in a problem. Some characters take nine bytes there."""

MAX_NAMED = 3
"""The maximum of broken rules in the detail, which is for people."""

JSON = "application/json"

Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]
Model = TypeVar("Model", bound=BaseModel)

_id = TypeAdapter(Id)
_positive_integer: TypeAdapter[int] = TypeAdapter(Annotated[QueryInteger, PositiveInteger])

# Additional fields of the log line. An execution environment handles one request at a time.
_log_fields: dict[str, Any] = {}


def create_app() -> APIGatewayHttpResolver:
    """Return a router that checks access tokens, and turns every error into a problem."""
    app = APIGatewayHttpResolver()
    app.use([_check_request])
    app.exception_handler(errors.Problem)(_problem_response)
    app.exception_handler(Exception)(lambda error: _internal_error(error, app.current_event.request_context.request_id))
    app.not_found(lambda _: _problem_response(_unmatched(app.current_event)))
    return app


def entry_point(app: APIGatewayHttpResolver) -> Handler:
    """Return the function's lambda_handler. It calls the router and logs the request."""

    def handle(event: Event, context: Any) -> dict[str, Any]:
        if not is_request(event):
            return _refuse_invocation(event, context)
        started = time.perf_counter()
        _log_fields.clear()
        request = event["requestContext"]
        response = _resolve(app, event, context)
        log = _log_fields.pop("log", logger.info)
        if response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log = logger.error
        line = {
            "method": request["http"]["method"],
            "route": event["routeKey"],
            "path": event["rawPath"],
            "status": response["statusCode"],
            "duration_ms": round((time.perf_counter() - started) * 1000, 2),
            "request_id": request["requestId"],
            "function_request_id": context.aws_request_id,
        }
        log("request", **line, **_log_fields)
        return response

    return handle


def _refuse_invocation(event: Any, context: Any) -> dict[str, Any]:
    logger.error(
        "The function was not invoked with a request of an HTTP API.",
        received=form_of(event),
        expected=EXPECTED,
        function_request_id=context.aws_request_id,
    )
    # A load balancer or a REST API sends this response to its client. Other callers ignore it.
    problem = errors.InternalError(context.aws_request_id)
    headers = {"Content-Type": errors.MEDIA_TYPE}
    return {"statusCode": problem.status, "headers": headers, "body": problem.body(), "isBase64Encoded": False}


def _resolve(app: APIGatewayHttpResolver, event: Event, context: Any) -> dict[str, Any]:
    request = event["requestContext"]
    method = request["http"]["method"].upper()
    if is_head := method == "HEAD":
        method = "GET"
        event = {**event, "requestContext": {**request, "http": {**request["http"], "method": method}}}
    response = app.resolve(event, context)
    response["headers"].setdefault("Cache-Control", routes.cache_control(method, event["rawPath"]))
    return _without_body(response) if is_head else response


def _without_body(response: dict[str, Any]) -> dict[str, Any]:
    # RFC 9110, sections 8.6 and 9.3.2: the headers of the response to GET, with the length that its body would have.
    body = response["body"] or ""
    content = base64.b64decode(body) if response["isBase64Encoded"] else body.encode()
    length = {"Content-Length": str(len(content))} if content else {}
    return {**response, "headers": {**response["headers"], **length}, "body": "", "isBase64Encoded": False}


def add_log_fields(*, warn: bool, **fields: str) -> None:
    """Add fields to the log line of the request. warn: log it as a warning, because it needs attention."""
    _log_fields.update(fields, log=logger.warning if warn else logger.info)


def header(event: APIGatewayProxyEventV2, name: str) -> str | None:
    """Return a header of the request, or None. name: in lowercase."""
    value: str | None = event.resolved_headers_field.get(name)
    # Whitespace around the value is not part of it (RFC 9110, section 5.5).
    return value.strip(" \t") if value else value


def raw_body(event: APIGatewayProxyEventV2) -> bytes:
    """Return the body as the client sent it. Raises MalformedBody."""
    text = event.get("body") or ""
    try:
        # A lone surrogate is not valid UTF-8. The JSON parser refuses it later.
        return base64.b64decode(text) if event.is_base64_encoded else text.encode("utf-8", "surrogatepass")
    except ValueError:
        raise errors.MalformedBody("The body is not valid base64.") from None


def check_size(body: bytes, max_bytes: int) -> None:
    """Raise BodyTooLarge if a body has more bytes."""
    if len(body) > max_bytes:
        raise errors.BodyTooLarge(f"The body has {len(body)} bytes. The maximum is {max_bytes}.")


def is_json(event: APIGatewayProxyEventV2) -> bool:
    """Return whether the client declared the body as JSON."""
    return (header(event, "content-type") or "").partition(";")[0].strip().lower() == JSON


def parse_json(event: APIGatewayProxyEventV2, model: type[Model]) -> Model:
    """Return the body as a model. Raises UnsupportedMediaType, BodyTooLarge, MalformedBody or InvalidRequest."""
    body = raw_body(event)
    check_size(body, MAX_BODY_BYTES)
    if not is_json(event):
        raise errors.UnsupportedMediaType
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        broken_rules = _broken_rules(error)
        if broken_rules[0]["type"] == "json_invalid":
            raise errors.MalformedBody(broken_rules[0]["msg"]) from None
        raise _invalid(broken_rules, lambda location: {"pointer": _pointer(location)}) from None


def parse_parameters(event: APIGatewayProxyEventV2, model: type[Model]) -> Model:
    """Return the query string as a model. Raises InvalidRequest."""
    try:
        return model.model_validate(event.query_string_parameters)
    except ValidationError as error:
        raise _invalid(_broken_rules(error), lambda location: {"parameter": _shortened(location[0])}) from None


def parse_id(value: str) -> str:
    """Return a UUID from the path in lowercase. Raises InvalidRequest."""
    try:
        return _id.validate_python(value)
    except ValidationError:
        raise _invalid_id() from None


def parse_path_integer(name: str, value: str) -> int:
    """Return a positive integer from the path. Raises InvalidRequest."""
    try:
        return _positive_integer.validate_python(value)
    except ValidationError:
        raise _invalid_id(name) from None


def json_response(body: str, status: int = 200, **headers: str) -> Response[str]:
    """Return a response with JSON text. Raises PageTooLarge if it is too large for Lambda."""
    # Lambda puts the text into another JSON text, which escapes it. Most responses are too small to need the check.
    if len(body) > MAX_RESPONSE_BYTES // 12 and len(json.dumps(body)) > MAX_RESPONSE_BYTES:
        raise errors.PageTooLarge
    return _response(status, JSON, body, headers)


def _response(status: int, media_type: str, body: str, headers: Mapping[str, str]) -> Response[str]:
    return Response(status, media_type, f"{body}\n", headers=dict(headers))


def no_content() -> Response[str]:
    return Response(204)


def resource_response(event: APIGatewayProxyEventV2, body: str) -> Response[str]:
    """Return a resource that was read, with its ETag, or 304 if the client has it. Raises StaleETag.

    RFC 9110, section 13.2.2.
    """
    current = etags.etag(body)
    if not etags.is_match(header(event, "if-match"), current):
        raise errors.StaleETag
    if etags.is_not_modified(header(event, "if-none-match"), current):
        return not_modified(ETag=current)
    return json_response(body, ETag=current)


def not_modified(**headers: str) -> Response[str]:
    return Response(304, headers=dict(headers))


def _check_request(
    app: APIGatewayHttpResolver, next_middleware: Callable[[APIGatewayHttpResolver], Response[str]]
) -> Response[str]:
    event = app.current_event
    access.check(event)
    # Powertools' patterns end in $, which also matches before a line break at the end of the path.
    if event["rawPath"].endswith("\n"):
        raise _unmatched(event)
    etags.refuse_unchecked(event.http_method.upper(), routes.match(event.path) or "", event.resolved_headers_field)
    return next_middleware(app)


def _unmatched(event: APIGatewayProxyEventV2) -> errors.Problem:
    route = routes.match(event.path)
    if route is None or (route in routes.STATIC and event.http_method == "GET"):
        return errors.RouteNotFound()
    if event.http_method in routes.ROUTES[route]:
        # Powertools' patterns do not match some characters that no ID has.
        return _invalid_id(routes.path_parameters(route)[-1])
    return errors.MethodNotAllowed(", ".join(routes.allowed_methods(route)))


def _invalid_id(name: str = "id") -> errors.InvalidRequest:
    kind = "a UUID" if name == "id" else f"an integer from 1 to {MAX_INTEGER}"
    detail = f"The ID in the path should be {kind}"
    return errors.InvalidRequest(detail, errors=[{"detail": detail, "parameter": name}])


def _problem_response(problem: errors.Problem) -> Response[str]:
    _log_fields["problem"] = problem.kind
    if problem.cause or problem.__cause__:
        _log_fields["cause"] = problem.cause or repr(problem.__cause__)
    return _response(problem.status, errors.MEDIA_TYPE, problem.body(), problem.headers)


def _internal_error(error: Exception, request_id: str) -> Response[str]:
    _log_fields["exc_info"] = error
    return _problem_response(errors.InternalError(request_id))


def _broken_rules(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False, include_context=False)


def _invalid(
    broken_rules: list[ErrorDetails], place: Callable[[tuple[int | str, ...]], dict[str, str]]
) -> errors.InvalidRequest:
    listed = [_explained(rule, place(rule["loc"])) for rule in broken_rules[:MAX_ERRORS]]
    detail = "; ".join(f"{rule.get('pointer') or rule['parameter']}: {rule['detail']}" for rule in listed[:MAX_NAMED])
    if len(broken_rules) > MAX_NAMED:
        detail = f"{detail}; and {len(broken_rules) - MAX_NAMED} more"
    return errors.InvalidRequest(detail, errors=listed)


def _explained(rule: ErrorDetails, place: dict[str, str]) -> dict[str, str]:
    if rule["type"] == "extra_forbidden":
        return {"detail": f"Unknown {'parameter' if 'parameter' in place else 'field'}", **place}
    return {"detail": rule["msg"], **place}


def _pointer(location: tuple[int | str, ...]) -> str:
    # RFC 6901, sections 3 and 6: a JSON Pointer as a URI fragment.
    return "#" + "".join("/" + quote(_shortened(step).replace("~", "~0").replace("/", "~1")) for step in location)


def _shortened(step: int | str) -> str:
    name = str(step)
    return name if len(name) <= MAX_STEP else f"{name[:MAX_STEP]}…"
