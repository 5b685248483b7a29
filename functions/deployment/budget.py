"""Set the budget of the stack with the API of AWS Budgets.

Not with AWS::Budgets::Budget: a third of the regions do not have this type, and refuse a template that contains it.
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
"""

import logging
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ALERTS = {"ACTUAL": 80.0, "FORECASTED": 100.0}
"""Percent of the budget that was spent, or that AWS expects to be spent by the end of the month."""

logger = logging.getLogger(__name__)


def replace(event: dict[str, Any]) -> str:
    """Replace or delete the budget. Always return "", because a message about costs must not stop a deployment.

    For example, AWS refuses the first budgets of a new account of an organization.
    """
    try:
        _replace(event["RequestType"], event["StackId"].split(":")[4], event["ResourceProperties"])
    except (BotoCoreError, ClientError) as error:
        logger.error("The budget was not set: %s", error)  # noqa: TRY400  the message says all
    return ""


def _replace(request: str, account: str, properties: dict[str, str]) -> None:
    # The API has one address for all regions.
    client = boto3.client("budgets", region_name="us-east-1")
    try:
        client.delete_budget(AccountId=account, BudgetName=properties["Name"])
    except client.exceptions.NotFoundException:
        logger.info("There was no budget of this name.")
    if request != "Delete":
        client.create_budget(AccountId=account, **_budget(properties))


def _budget(properties: dict[str, str]) -> dict[str, Any]:
    email = {"SubscriptionType": "EMAIL", "Address": properties["Email"]}
    return {
        "Budget": {
            "BudgetName": properties["Name"],
            "BudgetLimit": {"Amount": properties["Amount"], "Unit": "USD"},
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
        },
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": kind,
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": threshold,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [email],
            }
            for kind, threshold in ALERTS.items()
        ],
    }
