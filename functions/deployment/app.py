"""Has the migrations applied when CloudFormation asks, and tells it what came of them.

A custom resource of the template, whose properties change with the migrations: new code waits for it, and where it
fails the deployment is rolled back. It runs outside of the network, since CloudFormation takes its answer at a public
address.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
"""

import hashlib
import http.client
import json
import logging
import os
import time
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ANSWER_TIMEOUT = 430
"""Seconds, above what the migrations may take."""

READY_TIMEOUT = 150
"""Seconds until they have to be started: Lambda takes the network from a function that nobody called for weeks, and
needs a minute and a half to give it back."""

NOT_STARTED = {
    "AccessDeniedException",
    "EC2ThrottledException",
    "ENINotReadyException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "TooManyRequestsException",
}
"""Refusals of Lambda's that pass, after which nothing has run; of access, where a role is some seconds old.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

ATTEMPTS = 3
"""To tell CloudFormation, which waits until its time-out otherwise."""

MAX_REASON = 500
"""Characters, of up to six bytes in JSON; the whole answer may have 4,096 bytes. The log has all of it."""

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    """Apply the migrations of a Create or an Update; a Delete leaves the schema and its data as they are."""
    failure = ""
    if event["RequestType"] != "Delete":
        try:
            failure = _migrate()
        except Exception as error:  # noqa: BLE001  whatever it is, CloudFormation has to hear of it
            failure = f"The migrations could not be started: {error}"
    if not failure:
        return _answer(event, "SUCCESS", "The schema is up to date")
    logger.error("%s", failure)
    if _is_rolled_back(event["StackId"]):
        # A failure on the way back would leave a stack that is stuck; and a schema serves the release before too.
        return _answer(event, "SUCCESS", f"Left as it is while rolling back. {failure}")
    return _answer(event, "FAILED", failure)


def _migrate() -> str:
    """Why the migrations failed; "" where they did not."""
    # Once: CloudFormation is told of a failure, and a second try would find the first still running.
    config = Config(read_timeout=ANSWER_TIMEOUT, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    response = _invoke(boto3.client("lambda", config=config))
    payload = json.load(response["Payload"])
    logger.info("migrations: %s", json.dumps(payload))
    if "FunctionError" in response:
        return f"The migrations failed, and nothing was changed: {payload.get('errorMessage')}"
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
        logger.exception("the stack's status is not known")
        return False
    return "ROLLBACK" in stack["StackStatus"]


def _answer(event: dict[str, Any], status: str, reason: str) -> None:
    # Another one for each configuration; the template says what for.
    configuration = hashlib.sha256(json.dumps(event["ResourceProperties"], sort_keys=True).encode()).hexdigest()
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason[:MAX_REASON],
            # The same from request to request: with another one CloudFormation would delete what it takes for the old.
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
    # An empty type, since the address is signed without one.
    request = Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310  CloudFormation's address
    with urlopen(request, timeout=10) as response:  # noqa: S310  as above
        if response.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"CloudFormation answered {response.status}")
