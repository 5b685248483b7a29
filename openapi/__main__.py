"""Writes docs/openapi.json: `make openapi`."""

from openapi.document import ROOT, text

(ROOT / "docs" / "openapi.json").write_text(text())
