"""Write docs/openapi.json, and the table of routes in docs/reference/api.md: `make openapi`."""

from openapi.document import ROOT, document, text
from openapi.reference import with_routes

(ROOT / "docs" / "openapi.json").write_text(text())
REFERENCE = ROOT / "docs" / "reference" / "api.md"
REFERENCE.write_text(with_routes(REFERENCE.read_text(), document()))
