"""Over TCP nothing is said before the server has shown a certificate that is its own."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from pg8000.exceptions import InterfaceError
from pg8000.native import literal

from storefront import db, iam
from storefront.errors import Unavailable
from tests.integration.tls_server import HOST, Authority, Server, authority, programs, showing, tls_server

KEYS = iam.Credentials("AKIDEXAMPLE", "local-only", "session+token/=")


@pytest.fixture(scope="module")
def trusted() -> Authority:
    return authority("Trusted")


@pytest.fixture(scope="module")
def server(trusted: Authority) -> Iterator[Server]:
    if programs() is None:
        pytest.skip("a PostgreSQL that knows TLS is needed, such as Debian's")
    with tls_server(trusted) as server:
        yield server


def signs_in(server: Server, authority: Authority | None, **options: str) -> bool:
    url = server.url("somebody:right", authority, **options)
    with closing(db.connect(url)) as connection:
        [[encrypted]] = connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    return encrypted is True


@pytest.mark.parametrize("options", [{}, {"sslmode": "verify-full"}, {"sslmode": "require"}, {"sslmode": "verify-ca"}])
def test_the_right_authority_and_name_are_accepted(server: Server, trusted: Authority, options: dict[str, str]) -> None:
    assert signs_in(server, trusted, **options)


def test_a_certificate_without_key_identifiers_is_accepted(server: Server, trusted: Authority) -> None:
    with showing(server, trusted.sign(HOST, identified=False), trusted.sign(HOST)):
        assert signs_in(server, trusted)


def test_a_wrong_authority_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        signs_in(server, authority("Another"))


def test_an_authority_of_the_same_name_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        signs_in(server, authority("Trusted"))


def test_an_authority_that_the_system_does_not_know_is_refused(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        signs_in(server, None)


def test_a_wrong_name_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, trusted.sign("db.example"), trusted.sign(HOST)),
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        signs_in(server, trusted)


def test_an_expired_certificate_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, trusted.sign(HOST, days=-1), trusted.sign(HOST)),
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        signs_in(server, trusted)


def test_a_server_without_tls_is_refused(server: Server, trusted: Authority) -> None:
    with (
        showing(server, None, trusted.sign(HOST)),
        pytest.raises(InterfaceError, match="refuses SSL"),
    ):
        signs_in(server, trusted)


@pytest.mark.parametrize("mode", ["prefer", "allow", "off", "", "VERIFY-FULL"])
def test_a_mode_that_might_end_in_plain_text_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="verify-full or sslmode=disable"):
        db.connect(
            f"postgresql://u@127.0.0.1:1/x?sslmode={mode}" if mode else "postgresql://u@127.0.0.1:1/x?sslmode=%20"
        )


@pytest.mark.parametrize("response", [b"N", b"S" + b"plain text" * 10, b"E"])
def test_nothing_is_said_to_a_server_that_shows_no_certificate(response: bytes) -> None:
    heard: list[bytes] = []

    def listen(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            heard.append(client.recv(65536))
            client.sendall(response)
            with suppress(OSError):
                while data := client.recv(65536):
                    heard.append(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=listen, args=(listener,))
        thread.start()
        with pytest.raises((*db.TRANSPORT_ERRORS, ssl.SSLError)):
            db.connect(f"postgresql://somebody:hunter2@{HOST}:{listener.getsockname()[1]}/x")
        thread.join()
    # SSLRequest, and at most the beginning of a handshake.
    assert heard[0] == b"\0\0\0\x08\x04\xd2\x16\x2f"
    assert not any(b"hunter2" in data or b"somebody" in data for data in heard)


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's role, as Lambda tells it."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)


@contextmanager
def rds(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Has the server take the token that was made last, as RDS takes one that is right; gives all that were made."""
    made: list[str] = []

    def remembered(address: str, user: str) -> str:
        token = iam.token(address, user, "eu-west-1", iam.own_credentials(), datetime.now(UTC))
        made.append(token)
        with closing(db.connect(server.socket_url)) as owner:
            owner.run(f"ALTER ROLE storefront_app PASSWORD {literal(token)}")
        return token

    monkeypatch.setattr(db, "own_token", remembered)
    yield made


@pytest.mark.usefixtures("role")
def test_a_function_signs_in_with_a_token_that_is_made_for_each_connection(
    server: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url("storefront_app", trusted, sign_in="iam")
    with rds(server, monkeypatch) as made:
        for _ in range(2):
            with closing(db.connect(url)) as connection:
                assert connection.run("SELECT session_user") == [["storefront_app"]]
    assert len(made) == 2
    assert all(token.startswith(f"{HOST}:{server.port}/?Action=connect&DBUser=storefront_app&") for token in made)


@pytest.mark.usefixtures("role")
def test_a_token_that_is_refused_is_trouble_of_ours_and_in_no_message(
    server: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(db.connect(server.socket_url)) as owner:
        owner.run("ALTER ROLE storefront_app PASSWORD 'another'")
    monkeypatch.setenv("DATABASE_URL", server.url("storefront_app", trusted, sign_in="iam"))
    db.disconnect()
    with pytest.raises(Unavailable) as refused:
        db.call("get_product", "{}")
    assert "X-Amz" not in repr(refused.value) + repr(refused.value.__cause__)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@db.example/x?sign_in=iam",
        "postgresql://u@db.example/x?sign_in=password",
        "postgresql://u@db.example/x?sign_in=iam&sslmode=disable",
        "postgresql://u@/x?host=/tmp&sign_in=iam",
    ],
)
def test_an_address_that_contradicts_itself_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="without a password and with TLS") as refused:
        db.connect(url)
    assert "hunter2" not in repr(refused.value)


CERTIFICATES = Path(db.__file__).parent / "certificates"


@pytest.mark.parametrize("path", sorted(CERTIFICATES.iterdir()), ids=lambda path: path.stem)
def test_the_authorities_of_rds_last(path: Path) -> None:
    found = ssl.create_default_context(cafile=path).get_ca_certs()
    assert len(found) == path.read_text().count("BEGIN CERTIFICATE") > 2
    for one in found:
        assert one["subject"] == one["issuer"]
        assert ssl.cert_time_to_seconds(str(one["notAfter"])) > time.time() + 10 * 365 * 86400
        assert "Amazon" in str(one["subject"]) or "Starfield" in str(one["subject"])
        assert path.stem == "rds-proxy" or f"Amazon RDS {path.stem.removeprefix('rds-')} Root CA" in str(one["subject"])


def test_most_regions_are_among_them() -> None:
    regions = {path.stem.removeprefix("rds-") for path in CERTIFICATES.iterdir()} - {"proxy"}
    assert len(regions) > 25
    assert {"us-east-1", "eu-central-1", "ap-northeast-1", "sa-east-1"} <= regions
