"""JSON Schema in words: the fields of an object, and the values that a field may have."""

import re
from typing import Any

Schema = dict[str, Any]

_TYPES = {"array": "list", "string": "text"}
_FORMATS = {"uuid": "UUID", "date-time": "time", "uri-reference": "URI reference"}
_AMOUNT = "amount (such as `9.99`)"


def table_of_fields(schema: Schema, schemas: dict[str, Schema]) -> str:
    """Return a table of an object's fields. schemas: what `$ref` refers to, by name."""
    lines = ["| Field | Values | Meaning |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        values = allowed_values(field, schemas) + ("" if name in schema.get("required", []) else ", optional")
        lines.append(f"| `{name}` | {values} | {field.get('description', '')} |")
    return "\n".join(lines)


def allowed_values(schema: Schema, schemas: dict[str, Schema]) -> str:
    """Return the allowed values of a field or a parameter, in words."""
    if "anyOf" in schema:
        return " or ".join(allowed_values(one, schemas) for one in schema["anyOf"])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        referred = schemas[name]
        return f"[{name}](#{name.lower()})" if "properties" in referred else allowed_values(referred, schemas)
    default = f", default `{schema['default']}`" if "default" in schema else ""
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        or_null = " or null" if None in values else ""
        return ", ".join(f"`{value}`" for value in values if value is not None) + or_null + default
    type_: str = schema.get("type", "any value")
    kind = _FORMATS.get(schema.get("format", "")) or (_AMOUNT if _is_amount(schema) else _TYPES.get(type_, type_))
    if kind == "list":
        kind = f"list of {allowed_values(schema['items'], schemas)}"
    bounds = ", ".join(filter(None, [_range(schema), _least(schema), _step(schema)]))
    return kind + (f" ({bounds})" if bounds else "") + default


def _is_amount(schema: Schema) -> bool:
    pattern = schema.get("pattern", "")
    return re.search(pattern, "9.99") is not None and re.search(pattern, "text") is None


def _range(schema: Schema) -> str:
    for least, most, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
        ("minProperties", "maxProperties", " entries"),
    ):
        low, high = schema.get(least), schema.get(most)
        if high is not None:
            return f"at most {high}{unit}" if low is None else f"{low} to {high}{unit}"
    return ""


def _least(schema: Schema) -> str:
    return f"more than {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""


def _step(schema: Schema) -> str:
    return f"in steps of {schema['multipleOf']}" if "multipleOf" in schema else ""
