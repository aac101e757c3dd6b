"""What draws a guest's emulated screen: OpenGL of the host, on a render node of one of its cards;
and whether it is a window on the host's desktop.

Pure. Where the definition names no node, libvirt takes the first that there is after the hook
(libvirt: qemuProcessGraphicsSetupRenderNode), and QEMU one that it can open.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from vfiod.guest.commandline import Commandline, Option
from vfiod.guest.opened import Opened

TO_DRAW_WITHOUT = (
    "take the OpenGL out of the definition: <gl> in <graphics>, a <graphics type='egl-headless'> "
    "as a whole, and accel3d='yes' in <video>; the guest has the card itself to draw with"
)
_BY_ITSELF = "egl-headless"
_IF_ASKED = ("spice", "dbus")
_WINDOWS = ("gtk", "sdl")


def read_render_nodes(root: Element) -> tuple[Opened, ...]:
    """The nodes that the definition names (https://libvirt.org/formatdomain.html)."""
    remedy = "name one that is there (see: ls -l /dev/dri/by-path), or none"
    named = [*_graphics(root), *_video(root)]
    leaving = f"name that of a card that stays, if there is one; else {TO_DRAW_WITHOUT}"
    return tuple(
        Opened((node,), element, remedy, if_leaving=leaving)
        for element, node in named
        if node.startswith("/")
    )


def read_renderer(root: Element, commandline: Commandline) -> str:
    """What draws on whichever node there is, by its element; empty if nothing does."""
    free = [element for element, node in _graphics(root) if not node]
    if any(map(_draws, commandline.options)):
        free.append("<qemu:commandline>")
    return free[0] if free else ""


def read_window(root: Element, commandline: Commandline) -> str:
    """What opens a window on the host's desktop, without which QEMU ends; empty if nothing does.

    Of several -display the last one counts.
    """
    if commandline.variable("DISPLAY") or commandline.variable("SDL_VIDEODRIVER"):
        return ""  # somewhere of its own: nobody knows whether that stays
    if root.find("devices/graphics[@type='sdl']") is not None:
        return "<graphics type='sdl'>"
    shown = [o for o in commandline.options if o.name in ("display", "sdl")]
    if not shown:
        return ""
    last, kind = shown[-1].name, shown[-1].get("type")
    return f"-{last} {kind}".rstrip() if last == "sdl" or kind in _WINDOWS else ""


def _graphics(root: Element) -> Iterator[tuple[str, str]]:
    for graphics in root.iterfind("devices/graphics"):
        kind, gl = graphics.get("type", ""), graphics.find("gl")
        asked = gl is not None and gl.get("enable") == "yes"
        if kind == _BY_ITSELF or (kind in _IF_ASKED and asked):
            node = "" if gl is None else gl.get("rendernode", "")
            yield f"<graphics type='{kind}'>", node


def _video(root: Element) -> Iterator[tuple[str, str]]:
    for acceleration in root.iterfind("devices/video/model/acceleration"):
        yield "<video>", acceleration.get("rendernode", "")


def _draws(option: Option) -> bool:
    if option.get("rendernode"):
        return False  # a file of the command line's
    by_itself = option.name == "display" and option.value.split(",")[0] == _BY_ITSELF
    return by_itself or (option.name == "spice" and option.get("gl") in ("on", "yes"))
