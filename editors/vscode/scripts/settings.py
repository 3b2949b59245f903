"""The server's settings in package.json, made from the one schema: `python editors/vscode/scripts/settings.py` writes them.

A setting that a workspace may not set has the scope "machine": VS Code takes it from the user alone then. Defaults are
stated for the person; what the server gets is only what somebody set (src/server/chosen.ts).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from c2llm_lsp.settings import SCHEMA, Setting

PACKAGE = Path(__file__).resolve().parents[1] / "package.json"
TITLE = "Server"
_TYPES = {"text": "string", "integer": "integer", "boolean": "boolean", "list": "array"}


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def property_of(setting: Setting, order: int) -> dict[str, Any]:
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    found: dict[str, Any] = {"type": _TYPES[setting.kind], "default": default}
    if setting.kind == "list":
        found["items"] = {"type": "string"}
    if setting.kind == "integer":
        found |= {"minimum": setting.minimum, "maximum": setting.maximum}
    scope = "window" if setting.in_workspace else "machine"
    return found | {"scope": scope, "order": order, "markdownDescription": setting.help}


def properties() -> dict[str, dict[str, Any]]:
    return {f"c2llm.{camel(setting.name)}": property_of(setting, n) for n, setting in enumerate(SCHEMA, 1)}


def updated(package: dict[str, Any]) -> dict[str, Any]:
    section = next(part for part in package["contributes"]["configuration"] if part["title"] == TITLE)
    section["properties"] = properties()
    return package


def main() -> int:
    package = json.loads(PACKAGE.read_text(encoding="utf-8"))
    PACKAGE.write_text(json.dumps(updated(package), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
