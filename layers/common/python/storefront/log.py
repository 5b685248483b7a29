"""The one logger of a function: JSON lines, as CloudWatch takes them."""

import logging

from storefront.powertools import Logger

# Python asks for these at each line, and no line of ours has them.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

# A message of ours is no JSON, which Powertools would try to read in each.
logger = Logger(service="storefront", location=None, use_rfc3339=True, json_deserializer=str)
