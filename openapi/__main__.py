"""Writes docs/openapi.json, and the README's table of routes: `make openapi`."""

from openapi.document import ROOT, document, text
from openapi.readme import with_routes

(ROOT / "docs" / "openapi.json").write_text(text())
README = ROOT / "README.md"
README.write_text(with_routes(README.read_text(), document()))
