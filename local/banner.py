"""What `make run` prints when it serves: the address, the secrets, and commands to paste."""

import shlex
from urllib.parse import urlsplit

from local.settings import DEFAULT_DATA_DIR, DEFAULT_PORT, Settings
from local.signing import LOCAL_SECRETS, SECRET_VARIABLES

_BANNER = """
Storefront is on {url} (Ctrl-C stops it).
Open {url}/docs in a browser to read about the API and to try it.
Open {url}/console in a browser to work with orders and products, as staff does.{sign_in}

Or paste commands into another terminal, in this folder. List the products:
  curl {url}/api/products

Place an order:
  curl {url}/api/orders -H 'Content-Type: application/json'{token} \\
    -d '{{"customer_id": 24680, "products": [{{"product_id": "{product}", "quantity": 1}}]}}'

Pay an order of the sample data, as the payment processor does (applied; again: a second payment, needs_refund):
  {pay}

The webhook's secrets are:
{secrets}
{tokens}"""

_TOKENS = """
Routes require tokens (AUTH=on). `make token{variable}` prints one to enter in Authorize on the page.
"""

_SIGN_IN = " It asks for one of two test users ({issuer_url} signs them in)."

# The documents' examples show neither the stock of this product nor this order.
_PRODUCT = "a0000000-0000-4000-8000-000000000001"
_ORDER = "b0000000-0000-4000-8000-000000000004"


def banner(url: str, settings: Settings, issuer_url: str = "") -> str:
    """Return the banner. Its commands work as pasted, in bash. issuer_url: empty if the console needs no sign-in."""
    secrets = settings.webhook_secrets
    return _BANNER.format(
        url=url,
        sign_in=_SIGN_IN.format(issuer_url=issuer_url) if issuer_url else "",
        token=_token_header(settings) if settings.auth else "",
        product=_PRODUCT,
        pay=_pay_command(url, settings),
        tokens=_TOKENS.format(variable=_data_dir_variable(settings)) if settings.auth else "",
        secrets="\n".join(f"  {scheme:<18} {keys[0]}" for scheme, keys in secrets.items()),
    )


def _token_header(settings: Settings) -> str:
    return f' \\\n    -H "Authorization: Bearer $(make -s token{_data_dir_variable(settings)})"'


def _data_dir_variable(settings: Settings) -> str:
    data_dir = settings.data_dir
    return "" if data_dir == DEFAULT_DATA_DIR else f" DATA_DIR={shlex.quote(str(data_dir))}"


def _pay_command(url: str, settings: Settings) -> str:
    scheme = next(iter(settings.webhook_secrets))
    secret = settings.webhook_secrets[scheme][0]
    parts = [
        "" if settings.webhook_secrets == LOCAL_SECRETS else f"{SECRET_VARIABLES[scheme]}={shlex.quote(secret)} ",
        f"make pay ORDER={_ORDER}",
        "" if str(urlsplit(url).port) == DEFAULT_PORT else f" URL={url}",
        "" if scheme == "x_signature" else f" SCHEME={scheme}",
    ]
    return "".join(parts)
