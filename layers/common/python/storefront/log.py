"""The one logger of a function: JSON lines, as CloudWatch takes them."""

from storefront.powertools import Logger

logger = Logger(service="storefront", location=None, use_rfc3339=True)
