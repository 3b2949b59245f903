"""What is wrong with an assistant's configuration file."""

from __future__ import annotations

from retrieval.errors import SettingsError


class ConfigError(SettingsError):
    """A configuration file that is broken, protected or of a form that is not edited: nothing is written to it."""
