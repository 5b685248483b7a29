"""pydantic without its search for plugins."""

from storefront.cold_start.modules import replace_module

# The search reads the metadata of every installed package and finds no plugin. It takes 5 % of a cold start.
with replace_module("importlib.metadata", {"distributions": tuple}):
    import pydantic.plugin._loader  # noqa: F401  the first model uses it
