"""Report a result to CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
"""

import hashlib
import http.client
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

ATTEMPTS = 3
"""Attempts to report the result. Without a report, CloudFormation waits until its timeout."""

TIMEOUT = 10.0
"""Seconds for the whole of an attempt."""

MAX_REASON = 500
"""Characters, each up to six bytes in JSON. The whole report may have 4,096 bytes. The log has the full reason."""


def send(event: dict[str, Any], status: str, reason: str) -> None:
    """Report SUCCESS or FAILED. Raises OSError or HTTPException if CloudFormation cannot be reached."""
    # A different value for each configuration. The template explains why.
    configuration = hashlib.sha256(json.dumps(event["ResourceProperties"], sort_keys=True).encode()).hexdigest()
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason[:MAX_REASON],
            # Never a new one, because CloudFormation would then delete the old resource.
            "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"]),
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
    with _time_limit(TIMEOUT), urlopen(request) as response:  # noqa: S310  as above
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
