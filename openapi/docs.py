"""The pages and the description of the API: response model and routes."""

from typing import Any

from pydantic import ConfigDict, Field

from openapi.operation import Operation
from openapi.responses import ResponseModel


class Description(ResponseModel):
    """The description of the API in OpenAPI."""

    model_config = ConfigDict(extra="allow")

    openapi: str = Field(examples=["3.1.1"])
    info: dict[str, Any]
    paths: dict[str, Any]


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/"): Operation(
        "redirect_to_docs",
        "description",
        "Redirect to /docs",
        None,
        302,
        response_headers=("Location",),
    ),
    ("GET", "/docs"): Operation(
        "get_docs",
        "description",
        "Show this description as a page, with each kind of problem",
        "text/html; charset=utf-8",
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
    ("GET", "/console"): Operation(
        "get_console",
        "description",
        "Show the console of the shop's staff",
        "text/html; charset=utf-8",
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
    ("GET", "/openapi.json"): Operation(
        "get_openapi",
        "description",
        "Get this description",
        Description,
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
}
