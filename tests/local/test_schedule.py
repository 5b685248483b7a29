"""The local stack runs the scheduled functions of the template."""

import threading
from pathlib import Path

import pytest

from local.environments import InvocationError
from local.schedule import scheduled
from local.template import TemplateError, read_template
from tests.api_client import ROOT

# SAM CLI uses deprecated functions of its own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Runner:
    """Counts invocations. The first one fails."""

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


def test_the_schedules_come_from_the_template() -> None:
    schedules = read_template(ROOT / "template.yaml").schedules
    assert schedules == {"ExpireOrdersFunction": 300.0, "AuditFunction": 3600.0}


def test_a_scheduled_function_runs_again_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    runner = Runner()
    with scheduled({"ExpireOrdersFunction": 0.001}, runner):
        assert runner.called_three_times.wait(10)
    assert set(runner.calls) == {("ExpireOrdersFunction", "{}")}
    assert "ExpireOrdersFunction: on purpose" in capfd.readouterr().err


def test_a_schedule_other_than_a_rate_is_refused_in_one_sentence(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text().replace("rate(5 minutes)", '"cron(0 12 * * ? *)"')
    template.write_text(text)
    with pytest.raises(TemplateError, match="the schedule of ExpireOrdersFunction should be a rate"):
        read_template(template)
