"""The one logger of a function: JSON lines, as CloudWatch takes them."""

import json
import logging

from storefront.cold_start.powertools import Logger

# Python asks for these at each line, and no line of ours has them.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # noqa: SLF001  the documented way

# Powertools would make an encoder for each line.
_encoder = json.JSONEncoder(default=str, separators=(",", ":"), ensure_ascii=False)

logger = Logger(
    service="storefront",
    location=None,
    utc=True,
    use_rfc3339=True,
    json_serializer=_encoder.encode,
    # A message of ours is no JSON, which Powertools would try to read in each.
    json_deserializer=str,
)
