"""What the lists take."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from storefront.errors import InvalidRequest, PageTooDeep
from storefront.fields import PositiveInteger, QueryInteger, RequestModel

MAX_ROWS_DEEP = 100_000


class CursorParameters(RequestModel):
    """What every list takes."""

    page_size: Annotated[QueryInteger, Field(ge=1, le=100, description="The number of rows on a page.")] = 20
    cursor: Annotated[
        Annotated[str, StringConstraints(min_length=1)] | None,
        Field(
            description="The `next_cursor` of the previous page. Send it without `page`, and with the same filters and "
            "the same sort order."
        ),
    ] = None

    def filters(self) -> dict[str, Any]:
        """What a cursor is bound to: all that decides which rows come, and in what order."""
        return self.model_dump(mode="json", exclude={"page", "page_size", "cursor"}, exclude_none=True)


class PageParameters(CursorParameters):
    """What a list with numbered pages takes."""

    page: Annotated[
        QueryInteger,
        PositiveInteger,
        Field(
            description="The page number. The default is the first page. A page can start at most 100,000 rows into "
            "the list. Use `cursor` to read on."
        ),
    ] = 1

    @model_validator(mode="after")
    def _one_way_to_go_on(self) -> Self:
        # Problems of our own, which pydantic lets through because they are no ValueErrors: it names no parameter for a
        # rule about two of them, and a page too deep is no broken rule (422) but 400.
        if self.cursor is not None and "page" in self.model_fields_set:
            detail = "page and cursor should not both be sent"
            raise InvalidRequest(detail, errors=[{"detail": detail, "parameter": "page"}])
        # PostgreSQL reads and throws away every row before the page.
        if not self.reaches(self.page):
            raise PageTooDeep
        return self

    def reaches(self, page: int) -> bool:
        """Whether a page of this size is not too deep."""
        return (page - 1) * self.page_size <= MAX_ROWS_DEEP
