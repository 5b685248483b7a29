"""The long call of the migrations stays connected."""

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.api_client import lambda_context
from tests.unit.test_deployment import cloudformation, deployment, request


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux shows the timers of its sockets")
def test_the_call_of_the_migrations_sends_a_probe_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = []

    class Lambda(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            # The kernel first waits for the acknowledgement of the request.
            deadline = time.monotonic() + 5
            while not (seconds := seconds_to_the_next_probe(self.client_address[1])) and time.monotonic() < deadline:
                time.sleep(0.01)
            timers.append(seconds)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Write no log."""

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "local-only")
    with HTTPServer(("127.0.0.1", 0), Lambda) as server, cloudformation() as (url, responses):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.handle_request, daemon=True).start()
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert responses[0]["Status"] == "SUCCESS"
    assert 50 < timers[0] <= 60


def seconds_to_the_next_probe(port: int) -> float:
    """The keep-alive timer of the socket with this local port, or 0 without one.

    https://docs.kernel.org/networking/proc_net_tcp.html: timer 2 is the keep-alive timer, in jiffies of 0.01 seconds.
    """
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, _, _, timer, *_ = line.split()
        kind, _, jiffies = timer.partition(":")
        if int(local.rpartition(":")[2], 16) == port and kind == "02":
            return int(jiffies, 16) / 100
    return 0.0
