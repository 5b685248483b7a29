"""The query parameters of the lists."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from storefront.errors import InvalidRequest, PageTooDeep
from storefront.fields import PositiveInteger, QueryInteger, RequestModel


class CursorParameters(RequestModel):
    """The parameters of every list."""

    page_size: Annotated[QueryInteger, Field(ge=1, le=100, description="The number of rows on a page.")] = 20
    cursor: Annotated[
        Annotated[str, StringConstraints(min_length=1)] | None,
        Field(
            description="The `next_cursor` of the previous page. Send it without `page`, and with the same filters and "
            "the same sort order."
        ),
    ] = None

    def filters(self) -> dict[str, Any]:
        """Return the filters and the sort order, which a cursor is bound to."""
        return self.model_dump(mode="json", exclude={"page", "page_size", "cursor"}, exclude_none=True)


class PageParameters(CursorParameters):
    """The parameters of a list with numbered pages."""

    page: Annotated[
        QueryInteger,
        PositiveInteger,
        Field(
            description="The page number. The default is the first page. A page can start at most 100,000 rows into "
            "the list, or 1,000 in a list of products with filters. Use `cursor` to read on."
        ),
    ] = 1

    @model_validator(mode="after")
    def _page_or_cursor(self) -> Self:
        # pydantic passes these problems on, because they are not ValueErrors. Its own errors name no parameter for a
        # rule about two parameters, and a page that is too deep has the status 400.
        if self.cursor is not None and "page" in self.model_fields_set:
            detail = "page and cursor should not be sent together"
            raise InvalidRequest(detail, errors=[{"detail": detail, "parameter": "page"}])
        # PostgreSQL reads and discards every row before the page.
        if not self.reaches(self.page):
            raise PageTooDeep(self.max_rows_deep)
        return self

    @property
    def max_rows_deep(self) -> int:
        """How many rows into the list a page can start."""
        return 100_000

    def reaches(self, page: int) -> bool:
        """Return whether a page is within the limit."""
        return (page - 1) * self.page_size <= self.max_rows_deep
