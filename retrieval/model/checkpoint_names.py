"""What a checkpoint on the hub is called here: `owner/name`, or `owner/name@revision`. Cheap to import: every command asks."""

from __future__ import annotations

import re

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"({_PART}/{_PART})(?:@([^\s@\\]+))?")


def is_hub_name(name: str) -> bool:
    """A relative folder of two parts may read the same: say `./owner/name` for that."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def split(name: str) -> tuple[str, str]:
    """Owner and name, and the revision ("" for none)."""
    found = _NAME.fullmatch(name)
    return (found[1], found[2] or "") if found else (name, "")
