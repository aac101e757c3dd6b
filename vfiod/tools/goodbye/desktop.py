"""Desktop: whoever can end one so that programs save, or ask."""

from collections.abc import Sequence
from typing import Protocol


class Desktop(Protocol):
    """None of these waits for the person. All raise HostError if the desktop does not answer."""

    @property
    def patience(self) -> float:
        """For how many seconds it asks programs, before it ends them without an answer."""

    def begin(self) -> None:
        """Ask it to log out. What it is to be asked later, it is asked by look()."""

    def look(self) -> bool:
        """True once it has ended. Called again and again until then."""

    def was_cancelled(self) -> bool:
        """True once the person has taken the logout back, as far as the desktop tells."""

    def has_failed(self) -> bool:
        """True if it has said that it will not: there is nothing to wait for."""

    def waits_for(self) -> Sequence[str]:
        """What holds the logout up, for a person; empty if the desktop does not tell."""

    def withdraw(self) -> None:
        """Take back what was begun, as far as the desktop lets anybody; never raises."""
