"""The API's description, and the page that shows it."""

from storefront.cold_start.powertools import Response
from storefront.docs.page import description, page, page_headers
from storefront.etags import etag, is_not_modified
from storefront.http import JSON, create_app, entry_point, header, not_modified

app = create_app()

# Prepared during the start, when Lambda gives a function a full processor.
_DESCRIPTION, _PAGE, _PAGE_HEADERS = description(), page(), page_headers()


@app.get("/")
def redirect_to_docs() -> Response[str]:
    return Response(302, headers={"Location": "/docs"})


@app.get("/docs", compress=True)
def get_docs() -> Response[str]:
    return _document("text/html; charset=utf-8", _PAGE, _PAGE_HEADERS)


@app.get("/openapi.json", compress=True)
def get_openapi() -> Response[str]:
    return _document(JSON, _DESCRIPTION, {})


def _document(media_type: str, body: str, headers: dict[str, str]) -> Response[str]:
    strong = etag(body)
    # The ETag is weak, because the compressed response has the same one. Clients must revalidate after a deployment.
    headers = {**headers, "ETag": f"W/{strong}", "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if is_not_modified(header(app.current_event, "if-none-match"), strong):
        return not_modified(**headers)
    return Response(200, media_type, body, headers=headers)


lambda_handler = entry_point(app)
