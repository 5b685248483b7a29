"""Write docs/openapi.json and the generated parts of docs/reference/: `make openapi`."""

from openapi.document import ROOT, document, text
from openapi.reference import pages

(ROOT / "docs" / "openapi.json").write_text(text())
for path, page in pages(document()).items():
    path.write_text(page)
