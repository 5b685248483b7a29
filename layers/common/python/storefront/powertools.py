"""AWS Lambda Powertools, imported without botocore.

Powertools imports botocore, where it is installed, for no more than a User-Agent. Lambda installs it, and a cold
start would pay for it in functions that never call AWS; hidden during the import, it is left out.
"""

import sys

_imported = sys.modules.get("botocore")
sys.modules["botocore"] = None  # type: ignore[assignment]  # None is how an import is refused
try:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
finally:
    del sys.modules["botocore"]
    if _imported is not None:
        sys.modules["botocore"] = _imported

__all__ = ["APIGatewayHttpResolver", "APIGatewayProxyEventV2", "Logger", "Response"]
