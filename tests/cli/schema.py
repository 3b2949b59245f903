"""The part of JSON Schema that the project's schemas use, checked strictly: what is not understood fails."""

from __future__ import annotations

from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_ANNOTATIONS = {"$schema", "title", "description"}
_KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "minimum"}


def violations(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """What of a value is against the schema, one line each."""
    assert set(schema) <= _KNOWN | _ANNOTATIONS, f"{where}: keywords {set(schema) - _KNOWN}"
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{where}: {value!r} is no {kind}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value!r} is below {schema['minimum']}")
    if kind == "object":
        properties = schema["properties"]
        found += [f"{where}: {name} is missing" for name in schema["required"] if name not in value]
        found += [f"{where}: {name} is unknown" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            found += violations(value[name], properties[name], f"{where}.{name}")
    if kind == "array":
        for number, item in enumerate(value):
            found += violations(item, schema["items"], f"{where}[{number}]")
    return found
