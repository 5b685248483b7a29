"""What the description says about one route."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from storefront import errors
from storefront.errors import Problem
from storefront.idempotency.keys import KeyInFlight, KeyReused
from storefront.lists.parameters import CursorParameters, PageParameters

KEY = ("Idempotency-Key",)
REPLAYED = ("Idempotent-Replayed",)


@dataclass(frozen=True)
class Example:
    """A request that succeeds on the sample data. It is in the description, and in events/ for `sam local invoke`."""

    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    id: str = ""
    """The ID in the path, if it is not the operation's own path_id."""


@dataclass(frozen=True)
class Operation:
    """One route.

    id: the name of the handler and of the method in generated clients. Renaming it breaks those clients.
    response: a model, or the media type of a response that is not JSON.
    path_id: an example of the ID in the path. path_kind: of the kind in the path.
    examples: example requests by name; without any, one request without a body or a query, named after the operation.
    problems: the feature's own problems. all_problems() adds those that follow from what the route accepts.
    links: operations that a response leads to, by ID, with their parameters. "body" is the request body.
    """

    id: str
    tag: str
    summary: str
    response: type[BaseModel] | str | None
    status: int = 200
    description: str = ""
    path_id: str = ""
    path_kind: str = ""
    body: type[BaseModel] | Any = None
    parameters: type[CursorParameters] | None = None
    examples: dict[str, Example] = field(default_factory=dict)
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    problems: tuple[type[Problem], ...] = ()
    links: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all_examples(self) -> dict[str, Example]:
        """Return the example requests by name."""
        return self.examples or {self.id.replace("_", "-"): Example()}

    def all_problems(self) -> set[type[Problem]]:
        """Return the problems of this route, without those of access tokens and those of every route."""
        problems = set(self.problems)
        if self.body is not None:
            problems |= {errors.MalformedBody, errors.BodyTooLarge, errors.UnsupportedMediaType, errors.InvalidRequest}
        if self.parameters is not None:
            problems |= {errors.InvalidRequest, errors.BadCursor, errors.PageTooLarge}
            if issubclass(self.parameters, PageParameters):
                problems.add(errors.PageTooDeep)
        if "Idempotency-Key" in self.request_headers:
            problems |= {errors.InvalidRequest, KeyInFlight, KeyReused}
        if "If-Match" in self.request_headers:
            problems.add(errors.StaleETag)
        return problems
