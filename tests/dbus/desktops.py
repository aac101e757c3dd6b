"""Session managers that are not there, and logind: python -m tests.dbus.desktops KIND DOES.

They have the names, paths and methods of the real ones, on whatever bus DBUS_SYSTEM_BUS_ADDRESS
names. KIND is a key of KINDS; DOES is what becomes of a logout: ``ends``, ``objects`` (a program
does, and says so before), ``asks`` (one does once it is asked), ``cancels``, ``fails``, ``hangs``
(no answer to anything), ``lingers`` (the helper ends, the rest is slow), or ``leaves`` (it ends
by itself, and takes no question).
"""

import sys
from dataclasses import dataclass
from typing import Any

from gi.repository import Gio, GLib

GNOME = "org.gnome.SessionManager"
LOGIN1 = "org.freedesktop.login1"
SESSION = f"/{LOGIN1.replace('.', '/')}/session/_32"
SYSTEMD = "org.freedesktop.systemd1"
OBJECTS = {
    "/org/gnome/SessionManager": f"""<node><interface name="{GNOME}">
        <method name="Logout"><arg type="u" direction="in"/></method>
        <method name="IsInhibited"><arg type="u" direction="in"/><arg type="b" direction="out"/>
        </method>
        <method name="IsSessionRunning"><arg type="b" direction="out"/></method>
        <method name="GetInhibitors"><arg type="ao" direction="out"/></method>
        </interface></node>""",
    "/org/gnome/SessionManager/Inhibitor7": f"""<node><interface name="{GNOME}.Inhibitor">
        <method name="GetAppId"><arg type="s" direction="out"/></method>
        <method name="GetReason"><arg type="s" direction="out"/></method>
        <method name="GetFlags"><arg type="u" direction="out"/></method>
        </interface></node>""",
    "/Shutdown": """<node><interface name="org.kde.Shutdown">
        <method name="logout"/></interface></node>""",
    "/KSMServer": """<node><interface name="org.kde.KSMServerInterface">
        <method name="resetLogout"/></interface></node>""",
    "/org/xfce/SessionManager": """<node><interface name="org.xfce.Session.Manager">
        <method name="Logout"><arg type="b" direction="in"/><arg type="b" direction="in"/></method>
        </interface></node>""",
    "/LXQtSession": """<node><interface name="org.lxqt.session">
        <method name="logout"/></interface></node>""",
    "/org/freedesktop/login1": f"""<node><interface name="{LOGIN1}.Manager">
        <method name="GetSession"><arg type="s" direction="in"/><arg type="o" direction="out"/>
        </method></interface></node>""",
    SESSION: f"""<node><interface name="{LOGIN1}.Session">
        <property name="State" type="s" access="read"/></interface></node>""",
    "/org/freedesktop/systemd1/unit/graphical_2dsession_2etarget": f"""<node>
        <interface name="{SYSTEMD}.Unit"><property name="ActiveState" type="s" access="read"/>
        </interface></node>""",
}
ANSWERS = {
    "GetInhibitors": ("(ao)", (["/org/gnome/SessionManager/Inhibitor7"],)),
    "GetAppId": ("(s)", ("org.gnome.TextEditor",)),
    "GetReason": ("(s)", ("There are unsaved documents",)),
    "GetFlags": ("(u)", (1,)),
    "GetSession": ("(o)", (SESSION,)),
}


@dataclass(frozen=True)
class Kind:
    """The names it has, and the signal of a cancelled logout: path, interface and name."""

    names: tuple[str, ...]
    cancelled: tuple[str, str, str] | None = None
    helper: str = ""


KINDS = {
    "gnome": Kind(
        (GNOME, "org.gnome.Shell"),
        ("/org/gnome/SessionManager/EndSessionDialog", f"{GNOME}.EndSessionDialog", "Canceled"),
    ),
    "mate": Kind((GNOME,)),
    "plasma": Kind(("org.kde.ksmserver", "org.kde.plasmashell"), helper="org.kde.Shutdown"),
    "xfce": Kind(
        ("org.xfce.SessionManager",),
        ("/org/xfce/SessionManager", "org.xfce.Session.Manager", "ShutdownCancelled"),
    ),
    "lxqt": Kind(("org.lxqt.session",)),
    "none": Kind(()),
}


class Desktop:
    """One of them on the bus, and logind beside it."""

    def __init__(self, kind: Kind, does: str) -> None:
        self.kind, self.does, self.state = kind, does, "active"
        self.is_asked, self.session = False, "active"
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        for path, xml in OBJECTS.items():
            for interface in Gio.DBusNodeInfo.new_for_xml(xml).interfaces:
                self.bus.register_object(path, interface, self.called, self.got, None)
        for name in (*kind.names, LOGIN1, SYSTEMD, *filter(None, [kind.helper])):
            self.name("RequestName", "(su)", name, 4)

    def name(self, method: str, signature: str, *values: Any) -> None:
        body = GLib.Variant(signature, values)
        dbus = "org.freedesktop.DBus"
        self.bus.call_sync(dbus, "/", dbus, method, body, None, Gio.DBusCallFlags.NONE, -1, None)

    def got(self, *values: Any) -> Any:
        return GLib.Variant("s", self.state if values[-1] == "ActiveState" else self.session)

    def leave(self) -> None:
        self.session = "closing"

    def called(self, *values: Any) -> None:
        *_, method, arguments, invocation = values
        print(method, *arguments.unpack(), flush=True)
        if method == "GetSession" and self.does == "leaves":
            GLib.timeout_add(300, self.leave)
        if method in ANSWERS and (method == "GetSession" or self.does != "hangs"):
            invocation.return_value(GLib.Variant(*ANSWERS[method]))
        elif method == "IsSessionRunning" and self.does != "hangs":
            invocation.return_value(GLib.Variant("(b)", (not self.is_asked,)))
        elif method == "IsInhibited" and self.does != "hangs":
            invocation.return_value(GLib.Variant("(b)", (self.does == "objects",)))
        elif method.lower() == "logout":
            self.log_out(invocation)
        elif method == "resetLogout":
            invocation.return_value(None)

    def run_again(self) -> None:
        self.is_asked = False

    def log_out(self, invocation: Any) -> None:
        self.is_asked = True
        if self.does in ("fails", "leaves"):
            invocation.return_dbus_error(f"{GNOME}.LockedDown", "Logout has been locked down")
        elif self.does != "hangs":
            invocation.return_value(None)
        if self.does == "ends":
            for name in (*self.kind.names, *filter(None, [self.kind.helper])):
                GLib.timeout_add(300, self.name, "ReleaseName", "(s)", name)
        if self.does == "cancels" and self.kind.cancelled:
            self.bus.emit_signal(None, *self.kind.cancelled, None)
        elif self.does == "cancels" and not self.kind.helper:
            GLib.timeout_add(1500, self.run_again)
        elif self.does in ("cancels", "lingers"):
            self.state = "deactivating" if self.does == "lingers" else "active"
            GLib.timeout_add(300, self.name, "ReleaseName", "(s)", self.kind.helper)


if __name__ == "__main__":
    desktop = Desktop(KINDS[sys.argv[1]], sys.argv[2])
    print("ready", flush=True)
    GLib.MainLoop().run()
