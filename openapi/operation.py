"""What the description says of one route."""

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
class Operation:
    """One route.

    id: the name that generated clients give it, for good. answer: a model, or a media type of what is no JSON.
    problems: the feature's own; what follows from what the route takes is added to them. links: the ids of operations
    that the answer leads to, with their parameters; a request body under the name "body".
    """

    id: str
    tag: str
    summary: str
    response: type[BaseModel] | str | None
    status: int = 200
    description: str = ""
    body: type[BaseModel] | Any = None
    parameters: type[CursorParameters] | None = None
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    problems: tuple[type[Problem], ...] = ()
    links: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all_problems(self) -> set[type[Problem]]:
        """The feature's own problems, and those of what it takes; not those of the token and of every route."""
        found = set(self.problems)
        if self.body is not None:
            found |= {errors.MalformedBody, errors.BodyTooLarge, errors.UnsupportedMediaType, errors.InvalidRequest}
        if self.parameters is not None:
            found |= {errors.InvalidRequest, errors.BadCursor, errors.PageTooLarge}
            if issubclass(self.parameters, PageParameters):
                found.add(errors.PageTooDeep)
        if "Idempotency-Key" in self.request_headers:
            found |= {errors.InvalidRequest, KeyInFlight, KeyReused}
        if "If-Match" in self.request_headers:
            found.add(errors.StaleETag)
        return found
