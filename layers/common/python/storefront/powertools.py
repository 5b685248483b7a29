"""AWS Lambda Powertools, imported without what no function needs, and every cold start would pay for.

Powertools imports botocore, where it is installed, for no more than a User-Agent; Lambda installs it. With the resolver
for API Gateway it imports those for all else, and asyncio for one of them: a tenth of the whole. Both are hidden during
the import, and can be imported afterwards as ever.
"""

from pathlib import Path

from storefront.imports import bare_package, in_place_of

_EVENT_HANDLER = "aws_lambda_powertools.event_handler"

with in_place_of("botocore", None):
    import aws_lambda_powertools
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

    _FOLDER = Path(aws_lambda_powertools.__file__).parent / "event_handler"
    with in_place_of(_EVENT_HANDLER, bare_package(_EVENT_HANDLER, _FOLDER)):
        from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response

SWAGGER_UI = _FOLDER / "openapi" / "swagger_ui"
"""The folder of Swagger UI's files, which Powertools brings along."""

__all__ = ["SWAGGER_UI", "APIGatewayHttpResolver", "APIGatewayProxyEventV2", "Logger", "Response"]
