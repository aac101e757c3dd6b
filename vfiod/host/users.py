"""The part of Host that acts as somebody else: in a process with that user's id, never as root."""

from collections.abc import Collection
from typing import Protocol


class Users(Protocol):
    """What is done for a user by processes of their own id, so that it can do no more than they.

    Nothing that such a process says is read: it has done its work within the time, or has not.
    All raise HostError then, and may be called for a user whose home does not answer.
    """

    def remember(self, uid: int, how: str, *, seconds: float) -> None:
        """Write down what the user has open, in their home; ``how`` is what reopen: says."""

    def forget(self, uid: int, *, seconds: float) -> None:
        """Drop of what was written down what is open still; absent is no error."""

    def stop(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        """Stop units of the user's manager; absent ones are no error."""

    def start(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        """Start units of the user's manager, whatever became of them before."""

    def restart(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        """Start those of the units anew that run."""
