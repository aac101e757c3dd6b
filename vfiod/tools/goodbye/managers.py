"""The session managers that are known, and which of them runs.

Where the calls come from (all looked up in the sources), but for those that have a file of their
own:

- Xfce: xfce4-session, xfsm-manager-dbus.xml. A client that is answered with Cancel takes the
  logout back, and ShutdownCancelled tells so (xfsm-manager.c). Its clients speak XSMP, X11's own.
- LXQt: lxqt-session, sessiondbusadaptor.h; logout() is not answered (Q_NOREPLY). It ends what it
  has begun, and then the window manager (lxqtmodman.cpp): no program is asked.
- COSMIC: cosmic-session, src/service.rs. Exit ends the compositor, and after 2 seconds the session
  (src/main.rs): no window is closed before, and no program asked.
"""

from vfiod.bus.connection import Bus
from vfiod.tools.goodbye import gnome, plasma
from vfiod.tools.goodbye.manager import Kind, Manager, Tell, has_owner

_XFCE = "org.xfce.Session.Manager"

# LXQt runs with anybody's window manager, KWin for one; so it is first.
_KINDS: tuple[tuple[Kind, type[Manager]], ...] = (
    (
        Kind(
            ("org.lxqt.session",), "org.lxqt.session", "/LXQtSession", "org.lxqt.session.logout",
            asks=False, any_compositor=True,
        ),
        Manager,
    ),
    (plasma.KIND, plasma.Plasma),
    (
        Kind(
            ("org.xfce.SessionManager",),
            "org.xfce.SessionManager", "/org/xfce/SessionManager", f"{_XFCE}.Logout", "bb",
            (False, True), ("org.xfce.SessionManager", f"{_XFCE}.ShutdownCancelled"),
            any_compositor=True,
        ),
        Manager,
    ),
    (
        Kind(
            ("com.system76.CosmicSession",),
            "com.system76.CosmicSession", "/com/system76/CosmicSession",
            "com.system76.CosmicSession.Exit", asks=False,
        ),
        Manager,
    ),
    (gnome.KIND, gnome.Gnome),
)  # fmt: skip


def find(bus: Bus, *, seconds: float, tell: Tell) -> Manager | None:
    """The session manager on this bus, if there is one that is known. Raises HostError."""
    for kind, manager in _KINDS:
        if any(has_owner(bus, name) for name in kind.marks):
            return manager(bus, kind, seconds=seconds, tell=tell)
    return None
