"""`make sam-local` serves the API with `sam local start-api`, in Docker, and reports why it cannot start."""

import gc
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from local import docker_stack
from local.settings import StartError
from local.signing import sign
from local.tcp_proxy import tcp_proxy
from tests.api_client import ROOT, ApiClient, expect, over_http
from tests.local.stack import Stack, processes_of, running, start
from tests.template.sam import EVENTS, UNROUTED, function_for

MODULE = "local.sam_local"

IMAGE_BUILD = ROOT.parent / "shared" / "lambda-image" / "build"
"""Builds the image on machines without access to a registry."""

DOCKER = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}

pytestmark = pytest.mark.timeout(600)


def docker_engine() -> Any | None:
    try:
        return docker_stack._engine()
    except StartError:
        return None


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """A Docker engine with the functions' image."""
    client = docker_engine()
    if client is None:
        # SAM CLI leaves sockets open after a failed search. Python would warn about them in a later test.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        pytest.skip("no Docker engine responds")
    with closing(client):
        if not docker_stack._has_image(client) and not provide_image():
            pytest.skip(f"the image {docker_stack.IMAGE} is not available and cannot be pulled")
        yield client


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sam-local")


@pytest.fixture(scope="module")
def stack(engine: Any, data_dir: Path) -> Iterator[Stack]:  # noqa: ARG001  Skipped without an engine.
    """One stack for all tests that only send requests. It takes half a minute to start."""
    # Variables of a developer's shell that must not affect SAM CLI or Moto.
    shell = {"AWS_PROFILE": "nobody", "SECRETS_MANAGER_ENDPOINT": "http://nowhere.invalid"}
    with running(data_dir, MODULE, **DOCKER, **shell) as one:
        yield one


@pytest.fixture(scope="module")
def api(stack: Stack) -> ApiClient:
    return ApiClient(over_http(stack.url))


def test_it_accepts_an_order_and_its_payment(api: ApiClient) -> None:
    product = api.create_product(name="Kettle", price="72.00", quantity=3)
    order = api.order((product["id"], 2))
    assert api.stock(product["id"]) == 1
    assert expect(200, api.pay(order["id"]))["payment_status"] == "paid"
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "paid"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_it_serves_its_documentation(stack: Stack, api: ApiClient, path: str) -> None:
    with urlopen(Request(stack.url + path, headers={"accept-encoding": "gzip"}), timeout=60) as response:
        assert gzip.decompress(response.read()).decode() == api.get(path).text


def test_it_refuses_an_order_without_stock(api: ApiClient) -> None:
    product = api.create_product(quantity=1)
    assert api.place_order((product["id"], 2)).problem()[0] == 400
    assert api.stock(product["id"]) == 1


def test_it_refuses_a_forged_payment(api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    body = {"order_id": order["id"], "payment_status": "paid"}
    forged = sign("x_signature", ["guessed"], json.dumps(body).encode(), "", 0)
    assert api.call("POST", "/api/payment-webhook", body, forged).problem()[0] == 401


def test_it_returns_problems_for_an_unknown_path_and_a_wrong_method(api: ApiClient) -> None:
    assert api.get("/api/nothing-here").problem() == (404, "route-not-found")
    wrong = api.call("DELETE", "/api/orders")
    assert wrong.problem() == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/docs", "/api/products", "/api/nothing"])
def test_head_returns_the_status_of_get_without_a_body(api: ApiClient, path: str) -> None:
    head = api.call("HEAD", path)
    assert (head.status, head.text) == (api.get(path).status, "")


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.iterdir()))
def test_a_function_can_be_invoked_with_its_example_event(stack: Stack, name: str) -> None:
    event = EVENTS / name
    response = invoke(stack, function_for(name, json.loads(event.read_text())), event)
    if name in UNROUTED:
        assert response.items() >= UNROUTED[name].items()
    else:
        assert response["statusCode"] < 500, response


def test_ctrl_c_leaves_no_process_and_no_container(stack: Stack, data_dir: Path, engine: Any) -> None:
    # The last test of the stack: it stops the stack.
    assert docker_stack._containers(engine, data_dir) != []
    assert stack.stop(signal.SIGINT) == 0
    assert docker_stack._containers(engine, data_dir) == []
    assert processes_of(data_dir) == []


@pytest.mark.usefixtures("engine")
def test_it_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    with start(tmp_path, MODULE, **DOCKER) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Building")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()
    assert (process.returncode, output) == (0, "Stopped.\n")
    assert processes_of(tmp_path) == []


def test_it_reports_that_no_docker_engine_responds(tmp_path: Path) -> None:
    assert refusal(tmp_path, DOCKER_HOST="unix:///nowhere.sock").startswith("No Docker engine responds")


def test_it_reports_a_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert (
            refusal(tmp_path, PORT=str(port))
            == f"Port {port} is already in use. Choose another, such as PORT={port + 1}."
        )


@pytest.mark.usefixtures("engine")
def test_it_reports_why_sam_build_fails(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Broken: {Type: AWS::Serverless::Function}}\n")
    assert refusal(tmp_path, TEMPLATE=str(template), **DOCKER).startswith("`sam build` failed: ")


@pytest.mark.parametrize("host", ["@/shop?host=/run/postgresql", "@localhost:5433/shop?sslmode=disable"])
def test_containers_reach_a_database_of_this_machine_through_a_proxy(host: str) -> None:
    with docker_stack._database_for_containers(f"postgresql://me:pw{host}", ("127.0.0.1", "gateway")) as url:
        assert re.fullmatch(r"postgresql://me:pw@gateway:\d+/shop\?sslmode=disable", url)


def test_containers_connect_directly_to_a_database_of_another_machine() -> None:
    given = "postgresql://shop:secret@db.example.com/shop"
    with docker_stack._database_for_containers(given, ("127.0.0.1", "gateway")) as url:
        assert url == given


def test_the_proxy_forwards_data_and_the_end_in_both_directions() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        tcp_proxy("127.0.0.1", lambda: socket.create_connection(server.getsockname())) as port,
        socket.create_connection(("127.0.0.1", port), 5) as client,
        server.accept()[0] as target,
    ):
        client.sendall(b"question")
        assert target.recv(100) == b"question"
        target.sendall(b"answer")
        assert client.recv(100) == b"answer"
        client.shutdown(socket.SHUT_WR)
        assert target.recv(100) == b""
        target.close()
        assert client.recv(100) == b""


def invoke(stack: Stack, function: str, event: Path) -> Any:
    """Run the command that the stack shows, for another function and event, and return the response."""
    config = re.search(r"--config-file (\S+)", "".join(stack.output))
    assert config, stack.output
    command = [
        sys.executable,
        "-m",
        "samcli",
        "local",
        "invoke",
        function,
        "-e",
        str(event),
        "--config-file",
        config[1],
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refusal(data_dir: Path, **environment: str) -> str:
    """Return the last line, with the reason why it does not start."""
    with start(data_dir, MODULE, **environment) as process:
        output, _ = process.communicate()
    assert process.returncode == 1, output
    assert "Traceback" not in output
    return output.splitlines()[-1]


def provide_image() -> bool:
    command = [str(IMAGE_BUILD)] if IMAGE_BUILD.exists() else ["docker", "pull", "--quiet", docker_stack.IMAGE]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=300).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
