"""JSON text for responses, with the spacing of PostgreSQL's json functions: `{"key" : value, "key" : value}`.

Most responses are text that PostgreSQL made. Copying its spacing is cheaper than parsing and formatting that text.
"""

import json

SEPARATORS = (", ", " : ")

to_json = json.JSONEncoder(ensure_ascii=False, separators=SEPARATORS).encode
"""Return a value as JSON text."""
