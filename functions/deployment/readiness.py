"""Wait until AWS is ready for a call."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

TIMEOUT = 110
"""Seconds. If a function was not called for weeks, Lambda removes its network interface. Restoring it takes up to 90
seconds."""

PAUSE = 5
"""Seconds between two attempts."""

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

Result = TypeVar("Result")


def when_ready(call: Callable[[], Result]) -> Result:
    """Return what the call returns, and repeat it after one of these errors. Raises ClientError."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_STARTED or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
