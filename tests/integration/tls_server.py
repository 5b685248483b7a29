"""A PostgreSQL server with certificates that the tests make."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from storefront import db

HOST = "localhost"


@dataclass
class Authority:
    """A certificate authority."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: str

    def sign(self, host: str, days: int = 1, *, identified: bool = True) -> str:
        """A host's certificate and key, as PEM. days: until it expires. identified: with the authority's key ID."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = _builder(common_name(host), self.name, key, days).add_extension(alternative, critical=False)
        if identified:
            made = made.add_extension(issuer, critical=False)
        return (
            _pem(made.sign(self.key, hashes.SHA256()))
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
        )


def authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    other_usages = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    )
    made = _builder(common_name(name), common_name(name), key, 1, is_authority=True).add_extension(
        x509.KeyUsage(key_cert_sign=True, crl_sign=True, **dict.fromkeys(other_usages, False)), critical=True
    )
    return Authority(common_name(name), key, _pem(made.sign(key, hashes.SHA256())))


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, *, is_authority: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Server:
    """A PostgreSQL that listens on TCP, and accepts a password only over TLS."""

    socket_url: str
    folder: Path
    port: int

    def show(self, certificate: str | None) -> None:
        """Use another certificate and its key. None turns TLS off."""
        if certificate is not None:
            # Written in place, because PostgreSQL only reads a file that its user owns.
            (self.folder / "server.pem").write_text(certificate)
        with closing(db.connect(self.socket_url)) as owner:
            owner.run(f"ALTER SYSTEM SET ssl = {'off' if certificate is None else 'on'}")
            owner.run("SELECT pg_reload_conf()")
        self.wait(ssl="off" if certificate is None else "on")
        # A new session uses the certificate that the postmaster has reloaded.
        time.sleep(0.3)

    def wait(self, ssl: str | None = None) -> None:
        """Wait until the server responds and has this TLS setting."""
        for _ in range(200):
            with suppress(*db.TRANSPORT_ERRORS), closing(db.connect(self.socket_url)) as owner:
                if ssl in (None, owner.run("SHOW ssl")[0][0]):
                    return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL does not come up")

    def url(self, user: str, authority: Authority | None, **options: str) -> str:
        if authority is not None:
            (self.folder / "authority.pem").write_text(authority.certificate)
            options["sslrootcert"] = str(self.folder / "authority.pem")
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@{HOST}:{self.port}/postgres?{query}"


def programs() -> Path | None:
    """The folder of the newest PostgreSQL from Debian, which supports TLS. The embedded one does not."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


@contextmanager
def tls_server(trusted: Authority) -> Iterator[Server]:
    """Run a server whose users sign in with a password, only over TLS."""
    bin_folder = programs()
    assert bin_folder is not None
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    with TemporaryDirectory() as folder:
        data = Path(folder)
        if user:
            shutil.chown(data, user)
        options = ["-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync"]
        subprocess.run([bin_folder / "initdb", *options], user=user, check=True, capture_output=True)
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 password\n")
        certificate = data / "server.pem"
        certificate.touch(0o600)
        if user:
            shutil.chown(certificate, user)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": data,
            "ssl_cert_file": certificate,
            "ssl_key_file": certificate,
        }
        (data / "postgresql.auto.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        server = Server(f"postgresql://postgres@:{port}/postgres?host={data}", data, port)
        process = subprocess.Popen([bin_folder / "postgres", "-D", data], user=user, stderr=subprocess.DEVNULL)
        try:
            server.wait()
            with closing(db.connect(server.socket_url)) as owner:
                owner.run("CREATE ROLE somebody LOGIN PASSWORD 'right'; CREATE ROLE storefront_app LOGIN")
            server.show(trusted.sign(HOST))
            yield server
        finally:
            # SIGINT is a fast shutdown.
            process.send_signal(signal.SIGINT)
            process.wait()


@contextmanager
def showing(server: Server, certificate: str | None, afterwards: str) -> Iterator[None]:
    server.show(certificate)
    yield
    server.show(afterwards)
