"""AWS Lambda Powertools, imported without what no function needs, and every cold start would pay for.

Powertools imports botocore, where it is installed, for no more than a User-Agent; Lambda installs it. With the resolver
for API Gateway it imports those for all else, and asyncio for one of them: a tenth of the whole. With the event of API
Gateway it imports those of all else: as much again. All of it is hidden during the import, and `from … import` finds
it afterwards as ever.
"""

from functools import cached_property
from pathlib import Path

from storefront.cold_start.modules import bare_package, replace_module

_EVENT_HANDLER = "aws_lambda_powertools.event_handler"
_DATA_CLASSES = "aws_lambda_powertools.utilities.data_classes"

# What the resolver asks for, of which it needs one.
_EVENTS = {
    "ALBEvent": "alb_event",
    "APIGatewayProxyEvent": "api_gateway_proxy_event",
    "APIGatewayProxyEventV2": "api_gateway_proxy_event",
    "BedrockAgentEvent": "bedrock_agent_event",
    "LambdaFunctionUrlEvent": "lambda_function_url_event",
    "VPCLatticeEvent": "vpc_lattice",
    "VPCLatticeEventV2": "vpc_lattice",
}

with replace_module("botocore", None):
    import aws_lambda_powertools
    from aws_lambda_powertools import Logger

    _FOLDER = Path(aws_lambda_powertools.__file__).parent
    with (
        replace_module(_EVENT_HANDLER, bare_package(_EVENT_HANDLER, _FOLDER / "event_handler", {})),
        replace_module(_DATA_CLASSES, bare_package(_DATA_CLASSES, _FOLDER / "utilities" / "data_classes", _EVENTS)),
    ):
        from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
        from aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event import APIGatewayProxyEventV2


def _headers_of(event: APIGatewayProxyEventV2) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


# In place of Powertools' own, which it asks for at each answer to see whether it may be compressed: that copies the
# headers twice, and cuts a value at its commas.
_resolved_headers = cached_property(_headers_of)
_resolved_headers.__set_name__(APIGatewayProxyEventV2, "resolved_headers_field")
APIGatewayProxyEventV2.resolved_headers_field = _resolved_headers  # type: ignore[assignment]

SWAGGER_UI = _FOLDER / "event_handler" / "openapi" / "swagger_ui"
"""The folder of Swagger UI's files, which Powertools brings along."""

__all__ = ["SWAGGER_UI", "APIGatewayHttpResolver", "APIGatewayProxyEventV2", "Logger", "Response"]
