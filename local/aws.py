"""Emulate Secrets Manager with Moto's server, on loopback."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from local.settings import StartError
from local.signing import SECRET_VARIABLES
from storefront.payments.keyring import SecretDocument

REGION = "us-east-1"
"""The region that SAM CLI gives to local functions."""

WEBHOOK_SECRET_NAME = "WebhookSecret"  # noqa: S105  The name that SAM CLI resolves !Ref WebhookSecret to.


@contextmanager
def aws(webhook_secrets: Mapping[str, list[str]]) -> Iterator[str]:
    """Run the emulation with the webhook's secrets, and yield its endpoint. Raises StartError."""
    _check(webhook_secrets)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        # Moto keeps its state per process, so a second server would have the first one's secret.
        secretsmanager_backends.reset()
        _put_secret(WEBHOOK_SECRET_NAME, json.dumps(webhook_secrets))
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _check(webhook_secrets: Mapping[str, list[str]]) -> None:
    # Otherwise the functions would reject every event, and only their log would say why.
    try:
        SecretDocument.model_validate(webhook_secrets)
    except ValidationError as error:
        # Only the message: the full text of the error quotes the secret.
        first = error.errors()[0]
        raise StartError(f"{SECRET_VARIABLES[str(first['loc'][0])]}: {first['msg']}.") from None


def _put_secret(name: str, value: str) -> None:
    # Directly in Moto: a boto3 client would read the developer's own AWS profile.
    secrets = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION]
    secrets.create_secret(
        name=name,
        secret_string=value,
        secret_binary=None,
        description=None,
        tags=None,
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
