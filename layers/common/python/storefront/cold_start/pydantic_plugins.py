"""pydantic, without its search for plugins."""

from storefront.cold_start.modules import replace_module

# It would look for plugins in all that is installed, where there are none: a twentieth of a cold start.
with replace_module("importlib.metadata", {"distributions": tuple}):
    import pydantic.plugin._loader  # noqa: F401  used with the first model
