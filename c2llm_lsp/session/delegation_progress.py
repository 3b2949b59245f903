"""A full scan that an index process does for a session: what was handed over, and what is known of how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from c2llm_lsp.session.index_process import messages
from c2llm_lsp.session.job_queue import Requests
from retrieval.types import IndexReport


@dataclass(slots=True)
class DelegationProgress:
    """Belongs to the session's thread; what others read of it is read under the session's lock."""

    left_files: int = 0  # that the scan has not stored
    paths: dict[str, None] = field(default_factory=dict)  # changed paths that were handed over and are not indexed yet
    scanning: bool = True  # whether it is at the scan; behind that comes maintenance
    interrupted: IndexReport | None = None  # of a scan that was cut short and has not gone on since

    @property
    def pending_files(self) -> int:
        return self.left_files + len(self.paths)

    def hand_over(self, requests: Requests) -> list[messages.Command]:
        """The commands that pass these requests on."""
        commands: list[messages.Command] = []
        if requests.pause:
            commands.append(messages.Cancel())
        if requests.paths:
            commands.append(messages.Changed(requests.paths))
            self.paths.update(dict.fromkeys(requests.paths))
        if requests.scan:
            commands.append(messages.Rescan(requests.scan))
            self.paths.clear()  # the scan finds them
        return commands

    def follow(self, report: messages.Progress | messages.Done) -> None:
        """Take note of how far it is."""
        if isinstance(report, messages.Progress):
            self.scanning, self.interrupted = True, None
            if report.stage == "words":
                self.left_files = report.total - report.done
        elif report.paths is None:
            self.scanning = False
            self.interrupted = report.report if report.report.cancelled else None
            self.left_files = self.left_files if report.report.cancelled else 0
        elif not report.report.cancelled:  # else its session gives them another try
            for path in report.paths:
                self.paths.pop(path, None)
