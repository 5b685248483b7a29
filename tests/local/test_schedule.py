"""The laptop stack runs what the template puts on a schedule."""

import threading
from pathlib import Path

import pytest

from local.environments import InvocationError
from local.schedule import scheduled
from local.template import TemplateError, read_template
from tests.api_client import ROOT

# SAM CLI uses what its own parts have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Runner:
    """Counts invocations, and lets the first of them fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.called_three_times = threading.Event()

    def call(self, function_name: str, event: str) -> str:
        self.calls.append((function_name, event))
        if len(self.calls) == 1:
            raise InvocationError("on purpose")
        if len(self.calls) == 3:
            self.called_three_times.set()
        return "{}"


def test_the_schedules_are_the_template_s() -> None:
    schedules = read_template(ROOT / "template.yaml").schedules
    assert schedules == {"ExpireOrdersFunction": 300.0, "AuditFunction": 3600.0}


def test_a_scheduled_function_runs_again_and_again_though_it_may_fail(capfd: pytest.CaptureFixture[str]) -> None:
    runner = Runner()
    with scheduled({"ExpireOrdersFunction": 0.001}, runner):
        assert runner.called_three_times.wait(10)
    assert set(runner.calls) == {("ExpireOrdersFunction", "{}")}
    assert "ExpireOrdersFunction: on purpose" in capfd.readouterr().err


def test_a_schedule_that_is_no_rate_is_one_clear_sentence(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text().replace("rate(5 minutes)", '"cron(0 12 * * ? *)"')
    template.write_text(text)
    with pytest.raises(TemplateError, match="the schedule of ExpireOrdersFunction should be a rate"):
        read_template(template)
