"""What a workspace tells whoever keeps it current."""

from __future__ import annotations

from typing import Protocol


class WorkspaceListener(Protocol):
    """Called on whichever thread meets the event, with no lock of the workspace held."""

    def index_repaired(self) -> None:
        """A damaged index was set aside: the new one is empty and has to be filled."""
        ...

    def encoder_changed(self) -> None:
        """A remote encoder serves another model now: everything has to be embedded again."""
        ...

    def encoder_unreachable(self) -> None:
        """The text of an open buffer waits for an encoder that could not be reached."""
        ...


class NullListener:
    """For a workspace that nobody keeps current."""

    def index_repaired(self) -> None: ...

    def encoder_changed(self) -> None: ...

    def encoder_unreachable(self) -> None: ...
