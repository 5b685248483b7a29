"""AWS Lambda Powertools, imported without botocore.

Powertools imports botocore, where it is installed, for no more than a User-Agent. Lambda installs it, and a cold
start would pay for it in functions that never call AWS; hidden during the import, it is left out.
"""

import sys
from pathlib import Path

_imported = sys.modules.get("botocore")
sys.modules["botocore"] = None  # type: ignore[assignment]  # None is how an import is refused
try:
    import aws_lambda_powertools
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
finally:
    del sys.modules["botocore"]
    if _imported is not None:
        sys.modules["botocore"] = _imported

SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"
"""The folder of Swagger UI's files, which Powertools brings along."""

__all__ = ["SWAGGER_UI", "APIGatewayHttpResolver", "APIGatewayProxyEventV2", "Logger", "Response"]
