"""The one logger of a function: JSON lines, as CloudWatch takes them."""

from storefront.powertools import Logger

# A message of ours is no JSON, which Powertools would try to read in each.
logger = Logger(service="storefront", location=None, use_rfc3339=True, json_deserializer=str)
