"""GNOME, Cinnamon, MATE, Budgie: gnome-session and its copies.

gsm-manager.c and org.gnome.SessionManager.xml: Logout(1), "no confirmation", asks every client and
shows a dialog only if one of them objects; gnome-shell's dialog tells of its Cancel
(js/ui/endSessionDialog.js). After a minute that dialog may take itself for answered with yes, and
nobody but the person can take it back. So a logout is not asked for as long as anybody objects:
IsInhibited() tells. A program that does only when it is asked still brings the dialog up.

The dialogs of MATE and Cinnamon (mate-session, cinnamon-session: cancel_end_session()) tell nobody
of their Cancel. But to them a session does not run while it is asked, and does again then:
IsSessionRunning(). To GNOME it runs until it ends.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.errors import HostError, TimedOut
from vfiod.tools.goodbye.manager import CALL, Kind, Manager, Tell, has_owner, tell_nobody

_NAME, _PATH = "org.gnome.SessionManager", "/org/gnome/SessionManager"
_SHELL = "org.gnome.Shell"
KIND = Kind(
    (_NAME,), _NAME, _PATH, f"{_NAME}.Logout", "u", (1,),
    (_SHELL, f"{_NAME}.EndSessionDialog.Canceled"),
)  # fmt: skip
_LOGOUT_FLAG = 1  # GSM_INHIBITOR_FLAG_LOGOUT
_MOST = 9
_DIALOG = "GNOME's own question may log out by itself after a minute: press Cancel there to stay"


class Gnome(Manager):
    """One of them. Implements vfiod.tools.goodbye.desktop.Desktop."""

    def __init__(self, bus: Bus, kind: Kind, *, seconds: float, tell: Tell = tell_nobody) -> None:
        super().__init__(bus, kind, seconds=seconds, tell=tell)
        self._is_wanted = self._is_asked = False
        self._is_told = self._was_ending = False
        self._end_telling: Callable[[], None] = lambda: None

    def objects_first(self) -> bool:
        """GNOME's own programs do; those of MATE and Cinnamon are asked at the logout."""
        return has_owner(self._bus, _SHELL)

    def begin(self) -> None:
        self._is_wanted = True
        self._ask_if_free()

    def look(self) -> bool:
        has_ended = super().look()
        if self._is_wanted and not (has_ended or self._cancelled):
            self._ask_if_free()
        return has_ended

    def was_cancelled(self) -> bool:
        return super().was_cancelled() or (self._is_asked and self._runs_again())

    def waits_for(self) -> Sequence[str]:
        found = self._objections()
        if self._fault:
            return [self._fault, *found]
        return [*found, _DIALOG] if found and self._has_dialog() else found

    def withdraw(self) -> None:
        """What is not asked for yet is not asked for any more."""
        self._is_wanted = False
        self._end_telling()

    def _ask_if_free(self) -> None:
        if not self._is_inhibited():
            self._is_wanted, self._is_asked = False, True
            self._end_telling()
            super().begin()
        elif not self._is_told and (found := self._objections()):
            self._is_told = True
            self._end_telling = self._tell(found, self._note_cancelled)

    def _is_inhibited(self) -> bool:
        """One that is slow to say so would also log out later, when nobody wants it any more."""
        method = f"{_NAME}.IsInhibited"
        try:
            return bool(self._bus.call(_NAME, _PATH, method, "u", _LOGOUT_FLAG, seconds=CALL)[0])
        except TimedOut:
            return True
        except HostError:
            return False

    def _runs_again(self) -> bool:
        with suppress(HostError):
            runs = bool(self._call(_PATH, f"{_NAME}.IsSessionRunning")[0])
            self._was_ending = self._was_ending or not runs
            return runs and self._was_ending
        return False

    def _has_dialog(self) -> bool:
        """Whether there may be a question of gnome-shell's, which has a time."""
        with suppress(HostError):
            return self._is_asked and has_owner(self._bus, _SHELL)
        return False

    def _objections(self) -> list[str]:
        with suppress(HostError):
            return self._inhibitors()
        return []

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
