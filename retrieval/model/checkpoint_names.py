"""Names of checkpoints on the hub: `owner/name` or `owner/name@revision`. Cheap to import: every command needs it."""

from __future__ import annotations

import re

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"({_PART}/{_PART})(?:@([^\s@\\]+))?")


def is_hub_name(name: str) -> bool:
    """Whether a name is one of the hub. A relative folder of two parts looks the same: write `./owner/name` for it."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def split(name: str) -> tuple[str, str]:
    """Split a name into `owner/name` and the revision ("" for none)."""
    match = _NAME.fullmatch(name)
    return (match[1], match[2] or "") if match else (name, "")
