"""Tokens to sign in with are those that AWS's own library makes."""

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

from storefront.iam import Credentials, ServiceRequest, headers, own_credentials, own_token, token
from tests.endpoint import serving

ANY_KEY = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
ANY_USER = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63)
ANY_ACTION = st.from_regex(r"[a-z]{1,20}\.[A-Za-z]{1,20}", fullmatch=True)
ANY_HOST = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){1,5}", fullmatch=True)


def botocore_s(host: str, port: int, user: str, region: str, credentials: Credentials) -> str:
    client = boto3.client(
        "rds",
        region_name=region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token or None,
    )
    made: str = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    return made


def parts(made: str) -> tuple[str, dict[str, str]]:
    """Address and parameters, whose order is the maker's own, the signature among them."""
    address, _, query = made.partition("?")
    return address, dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))


@settings(max_examples=30)  # AWS's library takes a second for each.
@given(
    host=ANY_HOST,
    port=st.integers(1, 65535).filter(lambda port: port not in (80, 443)),
    user=ANY_USER,
    region=st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
    credentials=st.builds(Credentials, ANY_KEY, ANY_KEY, st.just("") | ANY_KEY),
)
def test_a_token_is_the_one_that_botocore_makes(
    host: str, port: int, user: str, region: str, credentials: Credentials
) -> None:
    theirs = botocore_s(host, port, user, region, credentials)
    made_at = datetime.strptime(parts(theirs)[1]["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
    assert parts(token(f"{host}:{port}", user, region, credentials, made_at)) == parts(theirs)


@settings(max_examples=100)
@given(
    request=st.builds(ServiceRequest, st.just("secretsmanager"), ANY_HOST, ANY_ACTION, ANY_USER),
    region=st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
    credentials=st.builds(Credentials, ANY_KEY, ANY_KEY, st.just("") | ANY_KEY),
)
def test_the_headers_are_those_that_botocore_makes(
    request: ServiceRequest, region: str, credentials: Credentials
) -> None:
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


def test_the_function_s_own_keys_are_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "s"), ("SESSION_TOKEN", "t")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert own_credentials() == ("a", "s", "t")
    made = own_token("db.example:5432", "storefront_app")
    assert made.startswith("db.example:5432/?Action=connect&DBUser=storefront_app&")
    assert "%2Feu-west-1%2Frds-db%2Faws4_request" in made


def test_keys_do_not_show_themselves() -> None:
    assert "secret" not in repr(Credentials("access", "secret", "secret, too"))


@pytest.fixture
def in_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def enter(url: str) -> None:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "only-here")

    return enter


def test_a_snapshot_asks_lambda_for_them(in_a_snapshot: Callable[[str], None]) -> None:
    keys = {"AccessKeyId": "a", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-11-24T18:00:00Z"}
    with serving((200, json.dumps(keys).encode())) as (url, asked):
        in_a_snapshot(url)
        assert own_credentials() == ("a", "s", "t")
    assert [headers["Authorization"] for headers in asked] == ["only-here"]


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"secret"), (200, b"secret"), (200, b'{"secret": 1}'), (200, b"[]")]
)
def test_keys_that_are_not_told_are_trouble_that_passes(
    in_a_snapshot: Callable[[str], None], status: int, body: bytes
) -> None:
    with serving((status, body)) as (url, _):
        in_a_snapshot(url)
        with pytest.raises(OSError, match="did not tell") as raised:
            own_credentials()
    assert "secret" not in repr(raised.value)


def test_an_endpoint_that_is_away_is_trouble_that_passes(in_a_snapshot: Callable[[str], None]) -> None:
    in_a_snapshot("http://127.0.0.1:1")
    with pytest.raises(OSError, match="refused"):
        own_credentials()
