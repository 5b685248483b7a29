"""AWS Lambda Powertools without the modules that no function uses.

Lambda installs botocore, and Powertools imports it only to set a User-Agent. Its package event_handler imports the
resolvers of all event sources, and asyncio for one of them. Its package data_classes imports the events of all sources.
Each of these two is a tenth of the import.
"""

from functools import cached_property
from pathlib import Path

from storefront.cold_start.modules import bare_package, replace_module

_EVENT_HANDLER = "aws_lambda_powertools.event_handler"
_DATA_CLASSES = "aws_lambda_powertools.utilities.data_classes"

# The resolver's module imports these names, and uses one of them.
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


# Powertools reads this public attribute for every response, to check Accept-Encoding. Its own version copies the
# headers twice and splits values at commas. The resolver always uses this class of event, so the attribute is replaced.
_resolved_headers = cached_property(_headers_of)
_resolved_headers.__set_name__(APIGatewayProxyEventV2, "resolved_headers_field")
APIGatewayProxyEventV2.resolved_headers_field = _resolved_headers  # type: ignore[assignment]

SWAGGER_UI = _FOLDER / "event_handler" / "openapi" / "swagger_ui"
"""The folder with Swagger UI's files, which Powertools contains."""

__all__ = ["SWAGGER_UI", "APIGatewayHttpResolver", "APIGatewayProxyEventV2", "Logger", "Response"]
