"""Database tokens and signed headers are equal to those of botocore."""

import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qsl

import boto3
import botocore.credentials
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.iam import Credentials, ServiceRequest, headers, role_credentials, token, token_of_role
from tests.endpoint import serving

ANY_KEY = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
ANY_USER = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63)
ANY_ACTION = st.from_regex(r"[a-z]{1,20}\.[A-Za-z]{1,20}", fullmatch=True)
ANY_HOST = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){1,5}", fullmatch=True)


def botocore_token(host: str, port: int, user: str, region: str, credentials: Credentials) -> str:
    client = boto3.client(
        "rds",
        region_name=region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token or None,
    )
    generated: str = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    return generated


def parts(token: str) -> tuple[str, dict[str, str]]:
    """The address and the parameters, whose order may differ."""
    address, _, query = token.partition("?")
    return address, dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))


@settings(max_examples=30)  # botocore takes a second for each.
@given(
    host=ANY_HOST,
    port=st.integers(1, 65535).filter(lambda port: port not in (80, 443)),
    user=ANY_USER,
    region=st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
    credentials=st.builds(Credentials, ANY_KEY, ANY_KEY, st.just("") | ANY_KEY),
)
def test_a_token_equals_the_one_of_botocore(
    host: str, port: int, user: str, region: str, credentials: Credentials
) -> None:
    theirs = botocore_token(host, port, user, region, credentials)
    made_at = datetime.strptime(parts(theirs)[1]["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
    assert parts(token(f"{host}:{port}", user, region, credentials, made_at)) == parts(theirs)


@settings(max_examples=100)
@given(
    request=st.builds(ServiceRequest, st.just("secretsmanager"), ANY_HOST, ANY_ACTION, ANY_USER),
    region=st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
    credentials=st.builds(Credentials, ANY_KEY, ANY_KEY, st.just("") | ANY_KEY),
)
def test_headers_equal_those_of_botocore(request: ServiceRequest, region: str, credentials: Credentials) -> None:
    sent = {"content-type": "application/x-amz-json-1.1", "x-amz-target": request.action}
    theirs = AWSRequest("POST", f"https://{request.host}/", sent, request.body.encode())
    keys = botocore.credentials.Credentials(
        credentials.access_key, credentials.secret_key, credentials.session_token or None
    )
    SigV4Auth(keys, request.service, region).add_auth(theirs)
    made_at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
    ours = headers(request, region, credentials, made_at)
    assert ours.pop("host") == request.host
    assert ours == {name.lower(): value for name, value in theirs.headers.items()}


def test_credentials_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "s"), ("SESSION_TOKEN", "t")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert role_credentials() == ("a", "s", "t")
    made = token_of_role("db.example:5432", "storefront_app")
    assert made.startswith("db.example:5432/?Action=connect&DBUser=storefront_app&")
    assert "%2Feu-west-1%2Frds-db%2Faws4_request" in made


def test_the_repr_of_credentials_hides_the_secret_key() -> None:
    assert "secret" not in repr(Credentials("access", "secret", "secret, too"))


@pytest.fixture
def restore_snapshot(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def restore(url: str) -> None:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "only-here")

    return restore


def test_a_restored_snapshot_fetches_its_credentials(restore_snapshot: Callable[[str], None]) -> None:
    keys = {"AccessKeyId": "a", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-11-24T18:00:00Z"}
    with serving((200, json.dumps(keys).encode())) as (url, requests):
        restore_snapshot(url)
        assert role_credentials() == ("a", "s", "t")
    assert [headers["Authorization"] for headers in requests] == ["only-here"]


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"secret"), (200, b"secret"), (200, b'{"secret": 1}'), (200, b"[]")]
)
def test_invalid_credentials_are_a_temporary_error(
    restore_snapshot: Callable[[str], None], status: int, body: bytes
) -> None:
    with serving((status, body)) as (url, _):
        restore_snapshot(url)
        with pytest.raises(OSError, match="sent no valid credentials") as raised:
            role_credentials()
    assert "secret" not in repr(raised.value)


def test_an_unreachable_credentials_endpoint_is_a_temporary_error(restore_snapshot: Callable[[str], None]) -> None:
    restore_snapshot("http://127.0.0.1:1")
    with pytest.raises(OSError, match="refused"):
        role_credentials()
