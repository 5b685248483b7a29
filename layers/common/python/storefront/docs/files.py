"""The static files, compressed once.

`sam build` writes them into the layer with `python -m storefront.docs.files FOLDER`. Where they are not built, such as
on a laptop, they are compressed when the function starts.
"""

import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from storefront.docs import page

BUILT = Path(__file__).with_name("built")
"""The folder of the built files, in the layer of a deployment."""

_INDEX = "index.json"


class StaticFile(NamedTuple):
    """A file of the documentation.

    compressed: the gzip file, in base64, as Lambda returns it.
    etag: the SHA-256 of the content, in hex.
    is_immutable: whether its path changes with its content.
    """

    media_type: str
    compressed: str
    etag: str
    is_immutable: bool

    def text(self) -> str:
        """Return the content, for a client that does not accept gzip."""
        return gzip.decompress(base64.b64decode(self.compressed)).decode()


def load() -> dict[str, StaticFile]:
    """Return the files by their paths: those that were built, or new ones."""
    try:
        index: dict[str, dict[str, Any]] = json.loads((BUILT / _INDEX).read_text())
    except FileNotFoundError:
        return make()
    return {
        path: StaticFile(compressed=(BUILT / fields["etag"]).read_text(), **fields) for path, fields in index.items()
    }


def make() -> dict[str, StaticFile]:
    """Return the files by their paths, made from their sources."""
    style, script = (
        _file("text/css; charset=utf-8", page.style()),
        _file("text/javascript; charset=utf-8", page.script()),
    )
    style_path, script_path = f"/docs/{style.etag[:16]}.css", f"/docs/{script.etag[:16]}.js"
    return {
        "/docs": _file("text/html; charset=utf-8", page.page(style_path, script_path)),
        "/openapi.json": _file("application/json", page.description()),
        style_path: style._replace(is_immutable=True),
        script_path: script._replace(is_immutable=True),
    }


def build(folder: Path) -> None:
    """Write the files into a folder."""
    folder.mkdir()
    files = make()
    for file in files.values():
        (folder / file.etag).write_text(file.compressed)
    index = {path: {k: v for k, v in file._asdict().items() if k != "compressed"} for path, file in files.items()}
    (folder / _INDEX).write_text(json.dumps(index))


def _file(media_type: str, text: str) -> StaticFile:
    # Without the time, so that equal sources build equal layers.
    compressed = gzip.compress(text.encode(), mtime=0)
    return StaticFile(
        media_type, base64.b64encode(compressed).decode(), hashlib.sha256(text.encode()).hexdigest(), is_immutable=False
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]))
