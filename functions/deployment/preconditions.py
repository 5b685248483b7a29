"""Refuse a deployment that would fail late, or that would leave the shop without its data.

The database and all that leads to it wait for this resource. So nothing has changed yet when it fails.
"""

from typing import Any

import boto3

import readiness

UNRESERVED = 100
"""Executions that AWS does not let anybody reserve.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""


def check(event: dict[str, Any]) -> str:
    """Return why the deployment must not go on, or ""."""
    if event["RequestType"] == "Delete":
        return ""
    return _other_database(event) or _too_many_reservations(event)


def _other_database(event: dict[str, Any]) -> str:
    old, new = (event.get(name, {}).get("DatabaseKind") for name in ("OldResourceProperties", "ResourceProperties"))
    # A new resource has no old properties.
    if old in (new, None):
        return ""
    return (
        f"The database would change from {old} to {new}, and would be empty. Restore the parameters DatabaseClass and"
        " DatabaseHost. The runbook explains how to move to another stack."
    )


def _too_many_reservations(event: dict[str, Any]) -> str:
    reserved = sum(int(one) for one in event["ResourceProperties"]["Reservations"])
    if not reserved:
        return ""
    # Not the unreserved executions, which exclude what this stack has reserved until now. So the reservations of other
    # stacks are not counted.
    limit = readiness.when_ready(boto3.client("lambda").get_account_settings)["AccountLimit"]["ConcurrentExecutions"]
    if limit - reserved >= UNRESERVED:
        return ""
    return (
        f"The functions reserve {reserved} concurrent executions. Of the {limit} of this account and region, AWS keeps"
        f" {UNRESERVED} for all functions. Request more in Service Quotas, or set the parameters that end in"
        " Concurrency to 0. The deployment guide says more, under Prepare."
    )
