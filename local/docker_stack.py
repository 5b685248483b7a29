"""The stack in Docker: `sam local`, with the database and the AWS emulation outside of Docker."""

import json
import os
import platform
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
from docker.errors import APIError, DockerException, NotFound
from samcli.local.docker.exceptions import ContainerEnforcementException, ContainerNotReachableException
from samcli.local.docker.utils import get_validated_container_client

from local import database_setup
from local.aws import aws
from local.banner import banner
from local.database import database
from local.sam_cli import SamCli
from local.settings import LOOPBACK, Settings, StartError, function_variables
from local.signals import raise_if_interrupted
from local.tcp_proxy import tcp_proxy
from local.terminal import print_now
from storefront import db

ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"

_POLL_INTERVAL = 0.1

_INVOKE = """\
Invoke one function, in another terminal:
  .venv/bin/sam local invoke ProductsFunction -e events/list-products.json --config-file {config}

The functions' logs are in {log}
"""


def serve(settings: Settings, port: int) -> None:
    """Serve the API on a port of loopback until KeyboardInterrupt. Raises StartError."""
    if settings.auth:
        raise StartError(
            "`sam local` does not check tokens, so with AUTH=on it would refuse every request. Use `make run`."
        )
    engine = _engine()
    sam = SamCli(settings.data_dir / "sam-local")
    # A killed run may have left containers behind.
    _remove_containers(engine, sam.build_folder)
    with ExitStack() as resources:
        print_now("Building with `sam build`. The first time takes a while.")
        sam.build(settings.template, ARCHITECTURE)
        database_url = resources.enter_context(database(settings))
        print_now("Starting the AWS emulation")
        aws_url = resources.enter_context(aws(settings.webhook_secrets))
        bridge = _bridge(engine)
        variables = function_variables(
            settings,
            resources.enter_context(_database_for_containers(database_url, bridge)),
            resources.enter_context(_aws_for_containers(aws_url, bridge)),
        )
        sam.configure(ARCHITECTURE, variables, skip_pull_image=_has_image(engine))
        resources.callback(_remove_containers, engine, sam.build_folder)
        _migrate(sam)
        if database_setup.load_sample_data(database_url):
            print_now("Loaded the sample data")
        print_now("Starting the containers")
        server = resources.enter_context(sam.start_api(LOOPBACK, port))
        _wait_for_port(server, sam, port)
        print_now(banner(f"http://{LOOPBACK}:{port}", settings))
        print_now(_INVOKE.format(config=_short(sam.config), log=_short(sam.log)))
        _wait_for_end(server, sam)


def _engine() -> Any:
    try:
        # SAM CLI's own search, so that both use the same engine.
        return get_validated_container_client()
    except (ContainerNotReachableException, ContainerEnforcementException, DockerException) as error:
        raise StartError("No Docker engine responds. `make run` serves the same API without Docker.") from error


def _has_image(engine: Any) -> bool:
    try:
        engine.images.get(IMAGE)
    except NotFound:
        return False
    return True


def _remove_containers(engine: Any, build_folder: Path) -> None:
    for container in _containers(engine, build_folder):
        # It may already be removed: `sam local invoke` removes its own containers.
        with suppress(APIError):
            container.remove(force=True)


def _containers(engine: Any, build_folder: Path) -> list[Any]:
    # Identified by their mounts: SAM CLI gives containers of all projects the same labels.
    return [
        container
        for container in engine.containers.list(all=True, sparse=True)
        if any(str(build_folder) in mount.get("Source", "") for mount in container.attrs["Mounts"])
    ]


def _bridge(engine: Any) -> tuple[str, str]:
    """Return the address to listen on for containers, and the name that containers use for it."""
    options = engine.networks.get("bridge").attrs["Options"]
    interface = options.get("com.docker.network.bridge.name", "")
    for address in psutil.net_if_addrs().get(interface, []):
        if address.family == socket.AF_INET:
            return address.address, address.address
    # Docker Desktop's bridge is in a virtual machine. There, this name resolves to the host.
    return LOOPBACK, "host.docker.internal"


@contextmanager
def _database_for_containers(url: str, bridge: tuple[str, str]) -> Iterator[str]:
    address = urlsplit(url)
    host, port = db.host_and_port(url)
    if not host.startswith("/") and host not in {"localhost", "127.0.0.1", "::1"}:
        yield url
        return
    credentials = address.netloc.rpartition("@")[0]
    query = "sslmode=disable" if host.startswith("/") else address.query
    with tcp_proxy(bridge[0], partial(_connect, host, port)) as proxy_port:
        yield urlunsplit(address._replace(netloc=f"{credentials}@{bridge[1]}:{proxy_port}", query=query))


@contextmanager
def _aws_for_containers(url: str, bridge: tuple[str, str]) -> Iterator[str]:
    address = urlsplit(url)
    with tcp_proxy(bridge[0], partial(socket.create_connection, (address.hostname, address.port))) as port:
        yield f"http://{bridge[1]}:{port}"


def _connect(host: str, port: int) -> socket.socket:
    connection = db.open_socket(host, port)
    # The timeout is only for connecting: a pooled session may be idle for a long time.
    connection.clear_deadline(None)
    return connection


def _migrate(sam: SamCli) -> None:
    print_now("Applying migrations")
    response = json.loads(sam.invoke("MigrateFunction"))
    if "errorType" in response:
        raise StartError(f"The migrations failed: {response['errorType']}: {response['errorMessage']}")


def _wait_for_port(server: Popen[str], sam: SamCli, port: int) -> None:
    while server.poll() is None:
        with suppress(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port)).close()
            return
        time.sleep(_POLL_INTERVAL)
    raise StartError(sam.failure("local start-api"))


def _wait_for_end(server: Popen[str], sam: SamCli) -> None:
    while server.poll() is None:
        raise_if_interrupted()
        time.sleep(_POLL_INTERVAL)
    raise StartError(sam.failure("local start-api"))


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
