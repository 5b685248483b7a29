"""Check, migrate and set the budget during a deployment, and report each result to CloudFormation.

This function backs three custom resources of the template. It runs outside of the VPC, because CloudFormation receives
the result at a public address.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
"""

import logging
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

import budget
import migrations
import preconditions
import report

REQUEST_FIELDS = {
    *("RequestType", "ResponseURL", "StackId", "RequestId"),
    *("ResourceType", "LogicalResourceId", "ResourceProperties"),
}

RESOURCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "Custom::Preconditions": preconditions.check,
    "Custom::SchemaMigration": migrations.migrate,
    "Custom::Budget": budget.replace,
}
"""What a Create, an Update or a Delete of each type does. Each returns why it failed, or ""."""

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    """Do what CloudFormation requests. A failure rolls the deployment back."""
    if not _is_request(event):
        logger.error("The function was not invoked with a request of CloudFormation. Nothing was started.")
        return None
    try:
        failure = RESOURCES[event["ResourceType"]](event)
    except Exception as error:  # noqa: BLE001  CloudFormation must receive every failure
        failure = f"{event['LogicalResourceId']} could not be started: {error}"
    if not failure:
        return report.send(event, "SUCCESS", "Up to date")
    logger.error("%s", failure)
    if _is_rolled_back(event["StackId"]):
        # A failure during a rollback would leave the stack stuck. The schema also works with the previous release.
        return report.send(event, "SUCCESS", f"Not changed during the rollback. {failure}")
    return report.send(event, "FAILED", failure)


def _is_request(event: Any) -> bool:
    return isinstance(event, dict) and event.keys() >= REQUEST_FIELDS and event["ResourceType"] in RESOURCES


def _is_rolled_back(stack_id: str) -> bool:
    try:
        config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
        [stack] = boto3.client("cloudformation", config=config).describe_stacks(StackName=stack_id)["Stacks"]
    except Exception:
        logger.exception("The status of the stack is unknown.")
        return False
    return "ROLLBACK" in stack["StackStatus"]
