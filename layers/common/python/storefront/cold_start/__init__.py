"""Shorter cold starts: import libraries without the parts that no function uses.

Every cold start pays for its imports. Some libraries import modules that our functions never use. During the import of
such a library, this package puts a small stand-in for the unused module into `sys.modules`, and removes it afterwards.
A later `import` of the unused module finds the real one.

Import these libraries from here and nowhere else:

powertools        AWS Lambda Powertools: without botocore, and without the other event sources and resolvers
driver            pg8000: without SCRAM, dateutil and importlib.metadata
pydantic_plugins  pydantic: without its search for plugins; storefront.fields imports it before the first model
modules           the functions that make the stand-ins

tests/unit/test_imports.py checks that no function imports the unused modules, and that they can still be imported.
docs/decisions/0010-cold-starts.md has the reasons. `python -X importtime` shows what an import costs.
"""

import gc

# A cold start creates about 35,000 objects that stay alive. With the default threshold of 2,000, the garbage collector
# examines them again and again, which takes 7 % of the start.
gc.set_threshold(20_000)
