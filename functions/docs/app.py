"""The static files: the API's description, the page that shows it, and the console of the shop's staff."""

import re

from storefront import static_files
from storefront.cold_start.powertools import Response
from storefront.console import page as console
from storefront.docs import page as docs
from storefront.errors import RouteNotFound
from storefront.etags import is_not_modified
from storefront.http import create_app, entry_point, header, not_modified
from storefront.static_files import StaticFile

IMMUTABLE = "public, max-age=31536000, immutable"
"""For files whose path changes with their content (RFC 8246)."""

app = create_app()

# Read during the start, when Lambda gives a function a full processor.
FILES = static_files.load()
DOCS_HEADERS = docs.headers()
CONSOLE_HEADERS = console.headers()


@app.get("/")
def redirect_to_docs() -> Response[str]:
    return Response(302, headers={"Location": "/docs"})


@app.get("/docs")
def get_docs() -> Response[str]:
    return _response(FILES["/docs"], **DOCS_HEADERS)


@app.get("/docs/<file>")
def get_docs_file(file: str) -> Response[str]:
    return _response(FILES.get(f"/docs/{file}"), **{"X-Content-Type-Options": "nosniff"})


@app.get("/console")
def get_console() -> Response[str]:
    return _response(FILES["/console"], **CONSOLE_HEADERS)


@app.get("/console/<file>")
def get_console_file(file: str) -> Response[str]:
    found = static_files.console_settings() if file == "settings.json" else FILES.get(f"/console/{file}")
    return _response(found, **{"X-Content-Type-Options": "nosniff"})


@app.get("/openapi.json")
def get_openapi() -> Response[str]:
    return _response(FILES["/openapi.json"])


def _response(file: StaticFile | None, **headers: str) -> Response[str]:
    if file is None:
        raise RouteNotFound
    # The ETag is weak, because the compressed response has the same one. Other files must be revalidated, because they
    # change with a deployment.
    strong = f'"{file.etag}"'
    cache_control = IMMUTABLE if file.is_immutable else "no-cache"
    headers |= {"ETag": f"W/{strong}", "Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    if is_not_modified(header(app.current_event, "if-none-match"), strong):
        return not_modified(**headers)
    if not _accepts_gzip(header(app.current_event, "accept-encoding") or ""):
        return Response(200, file.media_type, file.text(), headers=headers)
    response = Response(200, file.media_type, file.compressed, headers={**headers, "Content-Encoding": "gzip"})
    response.base64_encoded = True
    return response


def _accepts_gzip(accepted: str) -> bool:
    """Return whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, section 12.5.3)."""
    return any(
        re.fullmatch(r"gzip(;q=(1|0\.0*[1-9]).*)?", coding) for coding in accepted.lower().replace(" ", "").split(",")
    )


lambda_handler = entry_point(app)
