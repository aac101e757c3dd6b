"""A question in a window, by whichever program the desktop has for it; else by a notification."""

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vfiod.cli import notifications
from vfiod.errors import HostError, TimedOut
from vfiod.util.programs import begin, finish

_TITLE = "vfiod"
_PATIENCE = 300
_NONE = HostError(
    "nothing here can ask in a window: this is no desktop, or it has neither zenity, kdialog nor "
    "yad, nor notifications with buttons",
    "in a terminal: vfiod start GUEST",
)

# What these programs end with when a person has closed them is less: yad has 252 for the Escape
# key, zenity 255 and kdialog 254 for what went wrong.
_FAILED = 253

Question = Callable[[str, str], list[str]]
_T = TypeVar("_T")


class NotShownError(HostError):
    """A window that a person has not seen, or that was gone before they answered."""


class Asker(Protocol):
    """Asks and tells a person at a desktop."""

    def ask(self, text: str, *, yes: str) -> bool:
        """True if they press the button with this label. Raises NotShownError."""

    def tell(self, text: str) -> None:
        """Show what went wrong. Raises NotShownError."""


def _zenity(text: str, yes: str) -> list[str]:
    buttons = [f"--ok-label={yes}", "--cancel-label=Cancel", "--default-cancel"]
    return ["--question", f"--title={_TITLE}", f"--text={text}", "--width=420", *buttons]


def _yad(text: str, yes: str) -> list[str]:
    buttons = ["--button=Cancel:1", f"--button={yes}:0"]
    return [f"--title={_TITLE}", f"--text={text}", "--width=420", "--image=computer", *buttons]


def _kdialog(text: str, yes: str) -> list[str]:
    return [
        "--title", _TITLE, "--warningcontinuecancel", text,
        "--continue-label", yes, "--cancel-label", "Cancel",
    ]  # fmt: skip


def _xterm(text: str) -> list[str]:
    # Larger than any screen: without a window manager keys go to where the pointer is.
    show = 'printf "%s\\n" "$1"; read _'
    return ["-title", _TITLE, "-geometry", "700x200+0+0", "-e", "sh", "-c", show, "sh", text]


_QUESTIONS: Mapping[str, Question] = {"zenity": _zenity, "kdialog": _kdialog, "yad": _yad}
# These two cannot ask: a window that is closed would be a yes.
_ERRORS: Mapping[str, Callable[[str], list[str]]] = {
    "zenity": lambda text: ["--error", f"--title={_TITLE}", f"--text={text}", "--width=420"],
    "kdialog": lambda text: ["--title", _TITLE, "--error", text],
    "yad": lambda text: [f"--title={_TITLE}", f"--text={text}", "--width=420", "--button=OK:0"],
    "xmessage": lambda text: ["-center", "-title", _TITLE, "-buttons", "OK:0", text],
    "xterm": lambda text: _xterm(f"{text}\n\nPress Enter."),
}
_NEWS: Mapping[str, Callable[[str], list[str]]] = {
    "zenity": lambda text: ["--info", f"--title={_TITLE}", f"--text={text}", "--width=420"],
    "kdialog": lambda text: ["--title", _TITLE, "--msgbox", text],
    "yad": lambda text: [f"--title={_TITLE}", f"--text={text}", "--width=420", "--no-buttons"],
    "xmessage": lambda text: ["-center", "-title", _TITLE, "-buttons", "", text],
    "xterm": lambda text: _xterm(text),
}


@dataclass(frozen=True, slots=True)
class Window:
    """One of the programs; ``path`` is where it is."""

    name: str
    path: str

    def ask(self, text: str, *, yes: str) -> bool:
        return self._run(_QUESTIONS[self.name](text, yes)) == 0

    def tell(self, text: str, *, seconds: float | None = None) -> None:
        self._run(_ERRORS[self.name](text), seconds)

    def show(self, text: str) -> Callable[[], None]:
        """Show it meanwhile; what is returned takes it away."""
        return begin([self.path, *_NEWS[self.name](text)], environment=os.environ)

    def _run(self, options: Sequence[str], seconds: float | None = None) -> int:
        """Its exit status. A crash is no answer: on some cards GTK 4 dies of its own drawing."""
        argv, patience = [self.path, *options], seconds or _PATIENCE
        done = finish(argv, seconds=patience, environment=os.environ)
        if done.returncode < 0 or done.returncode >= _FAILED:
            raise NotShownError(f"{self.name} could not show a window (status {done.returncode})")
        return done.returncode


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification with buttons."""

    desktop: notifications.Notifications

    def ask(self, text: str, *, yes: str) -> bool:
        buttons = {"start": yes, "cancel": "Cancel"}
        chosen = self.desktop.ask(_TITLE, text, buttons, seconds=_PATIENCE, urgent=True)
        return chosen == "start"

    def tell(self, text: str) -> None:
        self.desktop.show(_TITLE, text, urgent=True)


@dataclass(frozen=True, slots=True)
class Ways:
    """All that can ask here, the best first; what cannot show itself is passed over.

    Nobody's answer, after some minutes, is a no, and what was told then has been shown.
    """

    windows: Sequence[Window]

    def ask(self, text: str, *, yes: str) -> bool:
        with suppress(TimedOut):
            return self._first(lambda asker: asker.ask(text, yes=yes))
        return False

    def tell(self, text: str) -> None:
        with suppress(TimedOut):
            self._first(lambda asker: asker.tell(text))

    def _first(self, act: Callable[[Asker], _T]) -> _T:
        for window in self.windows:
            with suppress(NotShownError):
                return act(window)
        return act(_notice())


def find(environment: Mapping[str, str] = os.environ) -> Asker:
    """What can ask here. Raises HostError if nothing can."""
    windows = _windows(_QUESTIONS, environment)
    return Ways(windows) if windows else _notice()


def _notice() -> Notice:
    desktop = notifications.find()
    if desktop is None or not desktop.has_actions:
        raise _NONE
    return Notice(desktop)


def find_teller(environment: Mapping[str, str] = os.environ) -> Window | None:
    """What can tell in a window here, without a desktop too; None if nothing can."""
    return next(iter(_windows(_ERRORS, environment)), None)


def _windows(known: Collection[str], environment: Mapping[str, str]) -> list[Window]:
    """The programs there are, the desktop's own first."""
    if not (environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY")):
        return []
    is_kde = "KDE" in environment.get("XDG_CURRENT_DESKTOP", "")
    names = sorted(known, key=lambda name: (name == "kdialog") != is_kde)
    found = ((name, shutil.which(name, path=environment.get("PATH"))) for name in names)
    return [Window(name, path) for name, path in found if path]
