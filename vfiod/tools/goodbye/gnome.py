"""GNOME, Cinnamon, MATE, Budgie: gnome-session and its copies.

gsm-manager.c and org.gnome.SessionManager.xml: Logout(1), "no confirmation", asks every client and
shows a dialog only if one of them objects; gnome-shell's dialog tells of its Cancel
(js/ui/endSessionDialog.js).
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from vfiod.errors import HostError
from vfiod.tools.goodbye.manager import CALL, Kind, Manager

_NAME, _PATH = "org.gnome.SessionManager", "/org/gnome/SessionManager"
KIND = Kind(
    (_NAME,), _NAME, _PATH, f"{_NAME}.Logout", "u", (1,),
    ("org.gnome.Shell", f"{_NAME}.EndSessionDialog.Canceled"),
)  # fmt: skip
_LOGOUT_FLAG = 1  # GSM_INHIBITOR_FLAG_LOGOUT
_MOST = 10


class Gnome(Manager):
    """One of them. Implements vfiod.tools.goodbye.desktop.Desktop."""

    def waits_for(self) -> Sequence[str]:
        found = [*super().waits_for()]
        with suppress(HostError):
            found += self._inhibitors()
        return found

    def _inhibitors(self) -> list[str]:
        """Those that object to a logout: the program and its reason."""
        paths = self._call(_PATH, f"{_NAME}.GetInhibitors")[0]
        return [self._inhibitor(path) for path in paths[:_MOST] if self._objects(path)]

    def _objects(self, path: str) -> bool:
        return bool(self._call(path, f"{_NAME}.Inhibitor.GetFlags")[0] & _LOGOUT_FLAG)

    def _inhibitor(self, path: str) -> str:
        program = self._call(path, f"{_NAME}.Inhibitor.GetAppId")[0]
        reason = self._call(path, f"{_NAME}.Inhibitor.GetReason")[0]
        return f"{program} ({reason})" if reason else str(program)

    def _call(self, path: str, method: str) -> Any:
        return self._bus.call(_NAME, path, method, seconds=CALL)
