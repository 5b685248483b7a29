"""Over TCP, nothing is sent before the server's certificate is verified."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from pg8000.native import literal

from storefront import db, iam, sockets
from storefront.errors import Unavailable
from tests.integration.network import LOSSES, network_to
from tests.integration.tls_server import HOST, Authority, Server, authority, programs, showing, tls_server

KEYS = iam.Credentials("AKIDEXAMPLE", "local-only", "session+token/=")


@pytest.fixture(scope="module")
def trusted() -> Authority:
    return authority("Trusted")


@pytest.fixture(scope="module")
def server(trusted: Authority) -> Iterator[Server]:
    if programs() is None:
        pytest.skip("this test needs a PostgreSQL with TLS, such as Debian's")
    with tls_server(trusted) as server:
        yield server


def connects(server: Server, authority: Authority | None, **options: str) -> bool:
    url = server.url("somebody:right", authority, **options)
    with closing(db.connect(url)) as connection:
        [[encrypted]] = connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    return encrypted is True


@pytest.mark.parametrize("options", [{}, {"sslmode": "verify-full"}, {"sslmode": "require"}, {"sslmode": "verify-ca"}])
def test_a_trusted_authority_with_the_right_name_is_accepted(
    server: Server, trusted: Authority, options: dict[str, str]
) -> None:
    assert connects(server, trusted, **options)


def test_a_certificate_without_key_identifiers_is_accepted(server: Server, trusted: Authority) -> None:
    with showing(server, trusted.sign(HOST, identified=False), trusted.sign(HOST)):
        assert connects(server, trusted)


def test_an_untrusted_authority_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        connects(server, authority("Another"))


def test_an_untrusted_authority_with_the_same_name_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connects(server, authority("Trusted"))


def test_an_authority_unknown_to_the_system_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connects(server, None)


def test_a_wrong_host_name_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, trusted.sign("db.example"), trusted.sign(HOST)),
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        connects(server, trusted)


def test_an_expired_certificate_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, trusted.sign(HOST, days=-1), trusted.sign(HOST)),
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        connects(server, trusted)


def test_a_server_without_tls_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, None, trusted.sign(HOST)),
        pytest.raises(ssl.SSLError, match="refuses TLS"),
    ):
        connects(server, trusted)


@pytest.mark.parametrize("mode", ["prefer", "allow", "off", "", "VERIFY-FULL"])
def test_an_sslmode_that_allows_plain_text_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="verify-full or disable"):
        db.connect(
            f"postgresql://u@127.0.0.1:1/x?sslmode={mode}" if mode else "postgresql://u@127.0.0.1:1/x?sslmode=%20"
        )


@pytest.mark.parametrize("response", [b"N", b"S" + b"plain text" * 10, b"E"])
def test_nothing_is_sent_to_a_server_without_a_certificate(response: bytes) -> None:
    received: list[bytes] = []

    def listen(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            received.append(client.recv(65536))
            client.sendall(response)
            with suppress(OSError):
                while data := client.recv(65536):
                    received.append(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=listen, args=(listener,))
        thread.start()
        with pytest.raises(db.TRANSPORT_ERRORS):
            db.connect(f"postgresql://somebody:hunter2@{HOST}:{listener.getsockname()[1]}/x")
        thread.join()
    # SSLRequest, and at most the beginning of a handshake.
    assert received[0] == b"\0\0\0\x08\x04\xd2\x16\x2f"
    assert not any(b"hunter2" in data or b"somebody" in data for data in received)


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of the function's role, as in Lambda."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)


@contextmanager
def rds(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let the server accept the latest token, as RDS accepts a valid one. Yields all tokens."""
    tokens: list[str] = []

    def make_token(address: str, user: str) -> str:
        token = iam.token(address, user, "eu-west-1", iam.role_credentials(), datetime.now(UTC))
        tokens.append(token)
        with closing(db.connect(server.socket_url)) as owner:
            owner.run(f"ALTER ROLE storefront_app PASSWORD {literal(token)}")
        return token

    monkeypatch.setattr(db, "token_of_role", make_token)
    yield tokens


@pytest.mark.usefixtures("role")
def test_a_function_signs_in_with_a_new_token_for_each_connection(
    server: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url("storefront_app", trusted, sign_in="iam")
    with rds(server, monkeypatch) as tokens:
        for _ in range(2):
            with closing(db.connect(url)) as connection:
                assert connection.run("SELECT session_user") == [["storefront_app"]]
    assert len(tokens) == 2
    assert all(token.startswith(f"{HOST}:{server.port}/?Action=connect&DBUser=storefront_app&") for token in tokens)


@pytest.mark.usefixtures("role")
def test_a_refused_token_is_unavailable_and_is_not_shown(
    server: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(db.connect(server.socket_url)) as owner:
        owner.run("ALTER ROLE storefront_app PASSWORD 'another'")
    monkeypatch.setenv("DATABASE_URL", server.url("storefront_app", trusted, sign_in="iam"))
    db.disconnect()
    with pytest.raises(Unavailable) as refused:
        db.call("get_product", "{}", repeatable=True)
    assert "X-Amz" not in repr(refused.value) + repr(refused.value.__cause__)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_connection_with_tls_that_was_lost_is_replaced(
    loss: str, server: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "LOSS_TIMEOUT", 0.3)
    with closing(db.connect(server.socket_url)) as owner:
        owner.run("""CREATE OR REPLACE FUNCTION echo(request jsonb, OUT outcome text, OUT body text)
                     LANGUAGE sql AS $$ SELECT 'said', request::text $$""")
    with network_to(server.url("somebody:right", trusted)) as network:
        monkeypatch.setenv("DATABASE_URL", network.url)
        db.disconnect()
        assert db.call("echo", "1", repeatable=True) == ("said", "1")
        network.lose(loss)
        assert db.call("echo", "2", repeatable=True) == ("said", "2")
        assert network.opened == 2
        db.disconnect()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@db.example/x?sign_in=iam",
        "postgresql://u@db.example/x?sign_in=password",
        "postgresql://u@db.example/x?sign_in=iam&sslmode=disable",
        "postgresql://u@/x?host=/tmp&sign_in=iam",
    ],
)
def test_a_contradictory_database_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="without a password and with TLS") as refused:
        db.connect(url)
    assert "hunter2" not in repr(refused.value)


CERTIFICATES = Path(db.__file__).parent / "certificates"


@pytest.mark.parametrize("path", sorted(CERTIFICATES.iterdir()), ids=lambda path: path.stem)
def test_the_rds_authorities_are_valid_for_ten_years(path: Path) -> None:
    found = ssl.create_default_context(cafile=path).get_ca_certs()
    assert len(found) == path.read_text().count("BEGIN CERTIFICATE") > 2
    for one in found:
        assert one["subject"] == one["issuer"]
        assert ssl.cert_time_to_seconds(str(one["notAfter"])) > time.time() + 10 * 365 * 86400
        assert "Amazon" in str(one["subject"]) or "Starfield" in str(one["subject"])
        assert path.stem == "rds-proxy" or f"Amazon RDS {path.stem.removeprefix('rds-')} Root CA" in str(one["subject"])


def test_the_rds_authorities_cover_most_regions() -> None:
    regions = {path.stem.removeprefix("rds-") for path in CERTIFICATES.iterdir()} - {"proxy"}
    assert len(regions) > 25
    assert {"us-east-1", "eu-central-1", "ap-northeast-1", "sa-east-1"} <= regions
