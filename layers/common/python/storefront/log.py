"""The logger of a function. It writes JSON lines for CloudWatch."""

import json
import logging
from typing import Any

from storefront.cold_start.powertools import Logger

# Python collects these for each line, and no line uses them.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # noqa: SLF001  documented

# Powertools would create an encoder for each line.
_encoder = json.JSONEncoder(default=str, separators=(",", ":"), ensure_ascii=False)


def _line(fields: Any) -> str:
    """Return a line without characters that a terminal obeys or that nobody sees, such as those that turn text around.

    JSON escapes the control characters of ASCII only. Clients choose paths.
    """
    line = _encoder.encode(fields)
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


logger = Logger(
    service="storefront",
    location=None,
    utc=True,
    use_rfc3339=True,
    json_serializer=_line,
    # No message is JSON, and Powertools would try to parse each one.
    json_deserializer=str,
)
