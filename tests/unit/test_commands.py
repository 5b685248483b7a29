"""The commands of the documents exist: targets of make, commands and options of the AWS CLI and of SAM CLI, and files.

Commands in `sh` blocks are also run (tests/local/test_documents.py).
"""

import argparse
import re
import shlex
import subprocess
from importlib.util import find_spec

import botocore.session
import click
import pytest
from botocore import xform_name
from samcli.cli.main import cli

from local import tokens, webhook_simulator
from tests.api_client import ROOT
from tests.documents import DOCUMENTS, blocks, commands

MAKEFILE = (ROOT / "Makefile").read_text()

PROGRAMS = {
    *("make", "aws", ".venv/bin/sam", ".venv/bin/python", "curl", "export", "git", "cloudflared", "ngrok"),
    *("psql", "pg_dump", "pg_restore", "eval"),
}

AWS_CLI_OPTIONS = {"output", "query", "region", "cli-read-timeout"}
"""Options that every command of the AWS CLI has."""

OF_THE_AWS_CLI_ALONE = {
    *(("rds", "generate-db-auth-token"), ("ec2-instance-connect", "ssh"), ("configure", "export-credentials")),
}
"""Commands that are no operation of the service."""

every_document = pytest.mark.parametrize("document", DOCUMENTS)


@every_document
def test_a_block_is_for_bash_and_starts_with_programs_that_are_known(document: str) -> None:
    console = [block.text for block in blocks(document) if block.kind == "console"]
    defined = set(re.findall(r"(?m)^\$ (\w+)\(\)", "".join(console))) | {"output", "on"}
    for text in console:
        assert all(re.match(r"\$ | ", line) for line in text.splitlines()), "output has a block of its own"
        subprocess.run(["bash", "-n"], input=re.sub(r"(?m)^\$ ", "", text), text=True, check=True)
        for line in re.findall(r"(?m)^\$ (.*)$", text):
            program = re.sub(r"^(?:[A-Z_]+=\w* +)+", "", line).split()[0]
            assert program in PROGRAMS | defined or re.match(r"\w+\(\)|[A-Z_]+=", program), program


@every_document
def test_a_target_of_make_and_its_variables_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+|\.venv/installed):", MAKEFILE, re.MULTILINE))
    for command in commands(document):
        for target, variables in re.findall(r"\bmake (?:-s )?([a-z.-]+[a-z/]+)((?: [A-Z_]+=\S*)*)", command):
            assert target in targets, command
            for variable in re.findall(r" ([A-Z_]+)=", variables):
                assert re.search(rf"\b{variable}\b", MAKEFILE), command


@every_document
def test_an_option_in_args_exists(document: str) -> None:
    known = {
        "pay": options_of(webhook_simulator._parser()),
        "token": options_of(tokens._parser()),
        "logs": sam_options(["logs"]),
    }
    for command in commands(document):
        for target, quoted, bare in re.findall(r"make (?:-s )?([a-z-]+)[^\n]*? ARGS=(?:[\"']([^\"']*)|(\S+))", command):
            assert set(re.findall(r"--[a-z-]+", quoted or bare)) <= known.get(target, set()), command


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def sam_options(words: list[str]) -> set[str]:
    """Return the options of a command of SAM CLI."""
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        # SAM CLI loads a command only in a context that has an object.
        found = command.get_command(click.Context(command, obj=True), word)
        assert found is not None, word
        command = found
    return {option for one in command.params for option in [*one.opts, *one.secondary_opts]}


@every_document
def test_a_command_of_sam_cli_and_its_options_exist(document: str) -> None:
    for command in commands(document):
        for text in re.findall(r"\.venv/bin/sam ([^|\n]+)", command):
            words = shlex.split(text)
            names = [word for word in words[:2] if re.fullmatch("[a-z][a-z-]*", word)]
            options = {word for word in words if re.match("-[-a-z]", word)}
            assert options <= sam_options(names), text


@every_document
def test_a_command_of_the_aws_cli_and_its_options_exist(document: str) -> None:
    session = botocore.session.get_session()
    for command in commands(document):
        text = command.replace("\\\n", " ")
        for service, operation, rest in re.findall(r"\baws ([a-z-]+) ([a-z0-9-]+)((?: [^`|;)\n]*)?)", text):
            if (service, operation) in OF_THE_AWS_CLI_ALONE:
                continue
            if operation == "wait":
                waiters = {xform_name(name, "-") for name in session.get_waiter_model(service).waiter_names}
                assert rest.split()[0] in waiters, f"aws {service} wait {rest}"
                continue
            model = session.get_service_model(service)
            operations = {xform_name(name, "-"): name for name in model.operation_names}
            assert operation in operations, f"aws {service} {operation}"
            shape = model.operation_model(operations[operation]).input_shape
            parameters = {xform_name(name, "-") for name in (shape.members if shape else ())}
            for option in re.findall(r" --([a-z-]+)", rest):
                assert {option, option.removeprefix("no-")} & (parameters | AWS_CLI_OPTIONS), f"{operation} --{option}"


def without_braces(command: str) -> str:
    """Expand braces as Bash does: `a{b,c}` becomes `ab ac`."""
    return re.sub(
        r"(\S*)\{(\w+(?:,\w+)+)\}(\S*)",
        lambda found: " ".join(found[1] + word + found[3] for word in found[2].split(",")),
        command,
    )


@every_document
def test_a_file_or_a_module_that_a_command_names_exists(document: str) -> None:
    for command in commands(document):
        for path in re.findall(r"(?<![\w./-])((?:tests|events|layers|docs|local)/[\w./-]+)", without_braces(command)):
            assert (ROOT / path).exists(), path
        for module in re.findall(r"python -m ([\w.]+)", command):
            assert find_spec(module) is not None, module
