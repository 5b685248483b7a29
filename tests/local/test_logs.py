"""What the functions' own processes write is what CloudWatch keeps."""

import json
from pathlib import Path

from tests.api_client import ApiClient, over_http
from tests.local.stack import running
from tests.secret_leaks import SECRET, send_markers


def test_the_console_repeats_no_body_secret_or_signature(tmp_path: Path) -> None:
    with running(tmp_path, WEBHOOK_SECRET=SECRET) as stack:
        unsaid = send_markers(ApiClient(over_http(stack.url)))
        assert stack.stop() == 0
    lines = [json.loads(line) for line in stack.output if line.startswith("{")]
    requests = [line for line in lines if line.get("message") == "request"]
    assert len(requests) > 15
    assert {line["status"] for line in requests} >= {200, 201, 400, 401, 404, 413, 422}
    # The start shows the laptop's own secret; the functions do not.
    served = "".join(line for line in stack.output if not line.startswith("  x_signature "))
    assert [word for word in unsaid if word in served] == []
