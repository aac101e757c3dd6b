"""Sleep of the host, forbidden to everybody: sleep.conf.d(5).

logind's inhibitor alone is passed over for root before systemd 257 (its NEWS), as by
``ssh root@pc systemctl suspend``. logind and systemd-sleep read this file whenever they are asked,
so nothing need be reloaded; it is gone with /run if nobody takes it away.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vfiod.paths import SLEEP, below
from vfiod.util.files import remove_file, replace_file

_TEXT = b"""\
# vfiod: a guest has the host's devices, which must not fall asleep under it.
# Gone when the guest ends.
[Sleep]
AllowSuspend=no
AllowHibernation=no
AllowSuspendThenHibernate=no
AllowHybridSleep=no
"""


class SleepFile:
    """The one in a tree that stands for the machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._path = below(root, SLEEP)

    def forbid(self) -> None:
        """Nobody sends the host to sleep; where it cannot be written logind's inhibitor remains."""
        with suppress(OSError):
            replace_file(self._path, _TEXT, mode=0o644)

    def allow(self) -> None:
        """As systemd is configured otherwise; raises OSError."""
        remove_file(self._path)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Sleep is possible inside the block, which is vfiod's own. Raises OSError."""
        there = self._path.exists()
        self.allow()
        try:
            yield
        finally:
            if there:
                self.forbid()
