"""Run the migrations. The properties of the resource change with them, and new code waits for the resource."""

import json
import logging
import socket
from typing import Any

import boto3
from botocore.config import Config
from botocore.httpsession import URLLib3Session

import readiness

CONNECT_TIMEOUT = 10
"""Seconds."""

RESPONSE_TIMEOUT = 710
"""Seconds. Longer than the migrations may take."""

KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60),
]
"""A probe each minute while the migrations run."""

logger = logging.getLogger(__name__)


def migrate(event: dict[str, Any]) -> str:
    """Return why the migrations failed, or "" if they succeeded. A Delete changes nothing in the database."""
    if event["RequestType"] == "Delete":
        return ""
    # One attempt. A second attempt would run while the first is still running.
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send.lambda.Invoke", _send)
    function = event["ResourceProperties"]["MigrateFunction"]
    response = readiness.when_ready(lambda: client.invoke(FunctionName=function, Payload=b"{}"))
    payload = json.load(response["Payload"])
    logger.info("migrations: %s", json.dumps(payload))
    if "FunctionError" in response:
        return f"The migrations failed. The next deployment continues them: {payload.get('errorMessage')}"
    return ""


def _send(request: Any, **_: Any) -> Any:
    # botocore's own session waits for two hours before the first probe, and a NAT gateway forgets a connection that is
    # silent for 350 seconds.
    # The stubs are too narrow.
    session = URLLib3Session(timeout=(CONNECT_TIMEOUT, RESPONSE_TIMEOUT), socket_options=KEEP_ALIVE)  # type: ignore[arg-type]
    return session.send(request)
