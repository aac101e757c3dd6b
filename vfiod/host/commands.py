"""What the daemon has done by processes of their own: whatever calls libvirt, and the trial.

The daemon itself never calls libvirt: while a hook waits for it, libvirt waits too.
"""

from typing import Protocol

from vfiod.errors import Refused, VfiodError

TRIAL = "vfiod-trial"
# Before the name of the guest that is meant, in what its trial has done at its end.
OF = "--from="


def time_is_over() -> Refused:
    """Too late to keep a trial: what ends its guest has begun, and may have asked it already."""
    text = "the time of the trial is over: its guest is being shut down, unless it answers"
    hint = "its end brings the display back; see: vfiod status"
    return Refused([VfiodError(text, hint)], heading="nothing was kept")


class Commands(Protocol):
    """Each call waits to its end, so none belongs into the main loop or the handoff's worker.

    All raise VfiodError with libvirt's or systemd's words.
    """

    def look(self) -> str:
        """The configured guests as they are now: JSON, see vfiod.handoff.decision.readiness."""

    def start(self, guest: str) -> None:
        """Have libvirt start it; returns when it runs, or why it does not."""

    def shut_down(self, guest: str) -> None:
        """Have libvirt ask it to shut down; does not wait for that."""

    def destroy(self, guest: str) -> None:
        """Pull its plug; one that does not run is no error."""

    def propose_session(self, uid: int, session: str) -> None:
        """Have the login screen propose a desktop to this user where it proposes a guest's entry.

        ``session`` is NAME:KIND, see vfiod.tools.session; for nothing, or one that is not
        installed, another desktop takes its place.
        """

    def trial_until(self, guest: str) -> int:
        """When this guest's trial ends (CLOCK_REALTIME, microseconds), 0 without one."""

    def keep(self, guest: str, seconds: int) -> None:
        """Let its trial end this much later from now; with 0 never: it is kept for good.

        Raises Refused if it is on none, or the time is over.
        """

    def end_trial(self, guest: str) -> None:
        """Stop its trial, if there is one: its handoff is over.

        This asks systemd alone, and quickly: the handoff's worker may.
        """
