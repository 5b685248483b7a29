"""The description of the API and its page: response model and routes."""

from typing import Any

from pydantic import ConfigDict, Field

from openapi.operation import Operation
from openapi.responses import ResponseModel


class Description(ResponseModel):
    """A description of the API in OpenAPI."""

    model_config = ConfigDict(extra="allow")

    openapi: str = Field(examples=["3.1.1"])
    info: dict[str, Any]
    paths: dict[str, Any]


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/"): Operation(
        "redirect_to_docs",
        "description",
        "Redirects to /docs",
        None,
        302,
        response_headers=("Location",),
    ),
    ("GET", "/docs"): Operation(
        "get_docs",
        "description",
        "Shows the API's description as a page, with a paragraph for each kind of problem",
        "text/html; charset=utf-8",
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
    ("GET", "/openapi.json"): Operation(
        "get_openapi",
        "description",
        "Reads the API's description, this document",
        Description,
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
}
