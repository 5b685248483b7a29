"""Run the migrations during a deployment, and report the result to CloudFormation.

This function backs a custom resource of the template. The properties of the resource change with the migrations. New
code waits for the resource, and a failure rolls the deployment back. The function runs outside of the VPC, because
CloudFormation receives the result at a public address.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
"""

import hashlib
import http.client
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RESPONSE_TIMEOUT = 710
"""Seconds. Longer than the migrations may take."""

READY_TIMEOUT = 150
"""Seconds. If a function was not called for weeks, Lambda removes its network interface. Restoring it takes up to 90
seconds."""

NOT_STARTED = {
    "AccessDeniedException",
    "EC2ThrottledException",
    "ENINotReadyException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "TooManyRequestsException",
}
"""Lambda's errors that go away, and after which nothing has run. AccessDenied occurs when a role is a few seconds old.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

REQUEST_FIELDS = {"RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties"}
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html"""

ATTEMPTS = 3
"""Attempts to report the result. Without a report, CloudFormation waits until its timeout."""

REPORT_TIMEOUT = 10.0
"""Seconds for the whole of an attempt."""

MAX_REASON = 500
"""Characters, each up to six bytes in JSON. The whole report may have 4,096 bytes. The log has the full reason."""

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    """Run the migrations for a Create or an Update. A Delete changes nothing in the database."""
    if not _is_request(event):
        logger.error("The function was not invoked with a request of CloudFormation. No migration was started.")
        return None
    failure = ""
    if event["RequestType"] != "Delete":
        try:
            failure = _migrate()
        except Exception as error:  # noqa: BLE001  CloudFormation must receive every failure
            failure = f"The migrations could not be started: {error}"
    if not failure:
        return _report(event, "SUCCESS", "The schema is up to date")
    logger.error("%s", failure)
    if _is_rolled_back(event["StackId"]):
        # A failure during a rollback would leave the stack stuck. The schema also works with the previous release.
        return _report(event, "SUCCESS", f"Not changed during the rollback. {failure}")
    return _report(event, "FAILED", failure)


def _is_request(event: Any) -> bool:
    return isinstance(event, dict) and event.keys() >= REQUEST_FIELDS


def _migrate() -> str:
    """Return why the migrations failed, or "" if they succeeded."""
    # One attempt. A second attempt would run while the first is still running.
    config = Config(read_timeout=RESPONSE_TIMEOUT, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    response = _invoke(boto3.client("lambda", config=config))
    payload = json.load(response["Payload"])
    logger.info("migrations: %s", json.dumps(payload))
    if "FunctionError" in response:
        return f"The migrations failed. The next deployment continues them: {payload.get('errorMessage')}"
    return ""


def _invoke(client: Any) -> Any:
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            return client.invoke(FunctionName=os.environ["MIGRATE_FUNCTION"], Payload=b"{}")
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_STARTED or time.monotonic() > deadline:
                raise
            time.sleep(5)


def _is_rolled_back(stack_id: str) -> bool:
    try:
        config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
        [stack] = boto3.client("cloudformation", config=config).describe_stacks(StackName=stack_id)["Stacks"]
    except Exception:
        logger.exception("The status of the stack is unknown.")
        return False
    return "ROLLBACK" in stack["StackStatus"]


def _report(event: dict[str, Any], status: str, reason: str) -> None:
    # A different value for each configuration. The template explains why.
    configuration = hashlib.sha256(json.dumps(event["ResourceProperties"], sort_keys=True).encode()).hexdigest()
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason[:MAX_REASON],
            # Always the same. With a new ID, CloudFormation would delete the old resource.
            "PhysicalResourceId": "schema",
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": {"Configuration": configuration[:16]},
        },
        ensure_ascii=False,
    ).encode(errors="replace")
    for attempt in range(ATTEMPTS):
        try:
            return _put(event["ResponseURL"], body)
        except (OSError, http.client.HTTPException):
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(2**attempt)
    return None


def _put(url: str, body: bytes) -> None:
    # The signature of the address covers an empty Content-Type.
    request = Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310  CloudFormation's address
    with _time_limit(REPORT_TIMEOUT), urlopen(request) as response:  # noqa: S310  as above
        if response.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"CloudFormation responded with {response.status}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    # The timeout of urlopen() applies to each wait. Lambda calls the handler in the main thread, which gets signals.
    def expire(*_: object) -> None:
        raise TimeoutError("timed out")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
