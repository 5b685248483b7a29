"""The stack over a database: AWS emulation, functions, schema, sample catalogue, HTTP API."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from local import database_setup
from local.aws import aws
from local.console import print_now
from local.environments import InvocationError
from local.gateway import Gateway
from local.lambdas import LambdaRunner
from local.log_lines import readable
from local.reload import apply_changes
from local.schedule import scheduled
from local.settings import DEFAULT_DATA_DIR, ROOT, Settings, StartError, function_variables
from local.signals import raise_if_interrupted
from local.signing import LOCAL_SECRETS, SECRET_VARIABLES
from local.template import Template, TemplateError, read_template
from local.tokens import Authorizer, signing_key

_POLL_INTERVAL = 0.1
"""Seconds until a signal that another thread got is noticed."""

_TRY_IT = """
Storefront is on {url} (Ctrl-C stops it).
The webhook's secrets:
{secrets}

Read about the API, and try it, in a browser:
  {url}/docs

List the products:
  curl {url}/api/products

Place an order:
  curl {url}/api/orders -H 'Content-Type: application/json' \\
    -d '{{"customer_id": 1, "products": [{{"product_id": "a0000000-0000-4000-8000-000000000001", "quantity": 1}}]}}'

Report one of the sample orders as paid, as a processor does{setting}:
  make pay ORDER=b0000000-0000-4000-8000-000000000003 URL={url}{scheme}
"""

_TOKENS = """\
Routes ask for tokens; beside reading products and the webhook each of these needs
  -H "Authorization: Bearer $(make -s token{data_dir})"
"""


def serve(settings: Settings, database_url: str, listener: socket.socket) -> None:
    """Serve the API on a bound socket until KeyboardInterrupt. Raises StartError."""
    with ExitStack() as resources:
        try:
            template = read_template(settings.template)
            print_now("Starting the AWS emulation")
            endpoint = resources.enter_context(aws(settings.webhook_secrets))
            variables = function_variables(settings, database_url, endpoint)
            on_log_line = None if settings.json_log else _print_log_line
            runner = resources.enter_context(LambdaRunner(template.functions, variables, on_log_line))
            _prepare_shop(runner, database_url)
            migrate = partial(database_setup.migrate, runner)
            runner.watch([settings.template, ROOT / "local"], partial(apply_changes, migrate=migrate, report=print_now))
            resources.enter_context(scheduled(template.schedules, runner))
        except TemplateError as error:
            raise StartError(str(error)) from error
        port = listener.getsockname()[1]
        authorizer = _authorizer(settings, template)
        gateway = Gateway(template.api, runner, port, authorizer, report=not settings.json_log)
        server = gateway.make_server(listener)
        try:
            server.server_activate()
        except OSError as error:
            # Two stacks may bind one port; only the first may listen on it.
            raise StartError(f"Port {port} cannot be used: {error.strerror}; set PORT to another.") from error
        url = f"http://{listener.getsockname()[0]}:{port}"
        print_now(try_it(url, settings.webhook_secrets))
        if settings.auth:
            print_now(
                _TOKENS.format(
                    data_dir="" if settings.data_dir == DEFAULT_DATA_DIR else f" DATA_DIR={settings.data_dir}"
                )
            )
        server.service_actions = raise_if_interrupted  # type: ignore[method-assign]  # Called at each poll.
        server.serve_forever(_POLL_INTERVAL)


def _print_log_line(function: str, line: str) -> None:
    text = readable(function, line)
    if text is not None:
        print_now(text)


def try_it(url: str, secrets: Mapping[str, list[str]]) -> str:
    """What to paste once the stack serves."""
    listed = "\n".join(f"  {scheme:<18} {keys[0]}" for scheme, keys in secrets.items())
    first = next(iter(secrets))
    return _TRY_IT.format(
        url=url,
        secrets=listed,
        setting="" if secrets == LOCAL_SECRETS else f", with {SECRET_VARIABLES[first]} set to the one above",
        scheme="" if first == "x_signature" else f" SCHEME={first}",
    )


def _authorizer(settings: Settings, template: Template) -> Authorizer | None:
    return Authorizer(signing_key(settings.data_dir), template.scopes) if settings.auth else None


def _prepare_shop(runner: LambdaRunner, database_url: str) -> None:
    try:
        print_now("Applying migrations")
        database_setup.migrate(runner)
    except InvocationError as error:
        raise StartError(f"The migrations failed: {error}") from error
    if database_setup.load_sample_data(database_url):
        print_now("Loaded the sample data")
