"""The stack on a database: AWS emulation, functions, schema, sample data and HTTP API."""

import socket
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial

from werkzeug.serving import BaseWSGIServer

from local import database_setup
from local.aws import aws
from local.banner import banner
from local.environments import InvocationError
from local.gateway import Gateway
from local.issuer.server import issuer
from local.lambdas import LambdaRunner
from local.log_lines import readable
from local.port import port_error
from local.reload import ChangeHandler
from local.schedule import scheduled
from local.settings import LOOPBACK, ROOT, Settings, StartError, function_variables
from local.signals import raise_if_interrupted
from local.template import Template, TemplateError, read_template
from local.terminal import print_now
from local.tokens import Authorizer, signing_key

_POLL_INTERVAL = 0.1
"""Seconds between checks for a signal that another thread received."""


def serve(settings: Settings, database_url: str, listener: socket.socket) -> None:
    """Serve the API on a bound socket until KeyboardInterrupt. Raises StartError."""
    with ExitStack() as resources:
        try:
            template = read_template(settings.template)
            print_now("Starting the AWS emulation")
            endpoint = resources.enter_context(aws(settings.webhook_secrets))
            issuer_url = resources.enter_context(_issuer(settings, listener))
            variables = function_variables(settings, database_url, endpoint, issuer_url)
            on_log_line = None if settings.json_log else _print_log_line
            runner = resources.enter_context(LambdaRunner(template.functions, variables, on_log_line))
            _prepare_database(runner, database_url)
            migrate = partial(database_setup.migrate, runner)
            resources.enter_context(runner.watching([settings.template, ROOT / "local"], ChangeHandler(migrate)))
            resources.enter_context(scheduled(template.schedules, runner))
        except TemplateError as error:
            raise StartError(str(error)) from error
        server = _listening_server(settings, template, runner, listener)
        print_now(banner(f"http://{LOOPBACK}:{server.port}", settings, issuer_url))
        server.service_actions = raise_if_interrupted  # type: ignore[method-assign]  # Called at each poll.
        server.serve_forever(_POLL_INTERVAL)


def _issuer(settings: Settings, listener: socket.socket) -> AbstractContextManager[str]:
    """Run the issuer until the end. Its URL is empty if routes require no tokens."""
    if not settings.auth:
        return nullcontext("")
    return issuer(signing_key(settings.data_dir), listener.getsockname()[1])


def _listening_server(
    settings: Settings, template: Template, runner: LambdaRunner, listener: socket.socket
) -> BaseWSGIServer:
    port = listener.getsockname()[1]
    authorizer = Authorizer(signing_key(settings.data_dir), template.scopes) if settings.auth else None
    server = Gateway(template.api, runner, port, authorizer, report=not settings.json_log).make_server(listener)
    try:
        server.server_activate()
    except OSError as error:
        # Two stacks can bind the same port, but only one can listen on it.
        raise port_error(port, error) from error
    return server


def _print_log_line(function: str, line: str) -> None:
    text = readable(function, line)
    if text is not None:
        print_now(text)


def _prepare_database(runner: LambdaRunner, database_url: str) -> None:
    try:
        print_now("Applying migrations")
        database_setup.migrate(runner)
    except InvocationError as error:
        reason = str(error).removeprefix("MigrationError: ")
        raise StartError(f"The migrations failed: {reason}") from error
    if database_setup.load_sample_data(database_url):
        print_now("Loaded the sample data")
