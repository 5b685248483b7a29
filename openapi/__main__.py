"""Write docs/openapi.json, the generated parts of docs/reference/, and events/: `make openapi`."""

from openapi import events
from openapi.document import ROOT, document, text
from openapi.reference import pages

(ROOT / "docs" / "openapi.json").write_text(text())
for path, content in {**pages(document()), **events.files()}.items():
    path.write_text(content)
