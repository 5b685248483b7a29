"""The logger of a function. It writes JSON lines for CloudWatch."""

import json
import logging

from storefront.cold_start.powertools import Logger

# Python collects these for each line, and no line uses them.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # noqa: SLF001  documented

# Powertools would create an encoder for each line.
_encoder = json.JSONEncoder(default=str, separators=(",", ":"), ensure_ascii=False)

logger = Logger(
    service="storefront",
    location=None,
    utc=True,
    use_rfc3339=True,
    json_serializer=_encoder.encode,
    # No message is JSON, and Powertools would try to parse each one.
    json_deserializer=str,
)
