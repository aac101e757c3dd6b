"""Sound servers of the host that the guest plays through. Pure.

Without one QEMU before 8.2 is silent, a later one does not start (audio/audio.c). Where servers
are, is PulseAudio's "Server String Format" and PipeWire's runtime directory (pipewire(1)).
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from vfiod.guest.commandline import Commandline, Option
from vfiod.guest.opened import Opened

_PIPEWIRE = ("PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR")
# The machine that the server is for, and how it is reached.
_BEFORE_PATH = re.compile(r"(?:\{[^}]*\})?(?:unix:)?")


def read_sound(root: Element, commandline: Commandline) -> tuple[Opened, ...]:
    """Their sockets, as far as the definition names them."""
    named = (*_audio(root), *_told(commandline))
    return tuple(
        Opened((path,), element, f"take {word} out of the definition", is_sound=True)
        for path, element, word in named
        if path.startswith("/")
    )


def _audio(root: Element) -> Iterator[tuple[str, str, str]]:
    for audio in root.iterfind("devices/audio"):
        if audio.get("type") == "pulseaudio":
            yield _pulse(audio.get("serverName", "")), "<audio>", "<audio>"
        elif audio.get("type") == "pipewire":
            yield _pipewire(audio.get("runtimeDir", "")), "<audio>", "<audio>"


def _told(commandline: Commandline) -> Iterator[tuple[str, str, str]]:
    for option in commandline.options:
        if option.name in ("audio", "audiodev"):
            yield _server(option, commandline), "<qemu:commandline>", f"-{option.name}"


def _server(option: Option, commandline: Commandline) -> str:
    if option.get("driver") == "pa":
        return _pulse(option.get("server") or commandline.variable("PULSE_SERVER"))
    if option.get("driver") == "pipewire":
        folders = map(commandline.variable, _PIPEWIRE)
        return _pipewire(next(filter(None, folders), ""))
    return ""


def _pulse(server: str) -> str:
    return _BEFORE_PATH.sub("", server, count=1)


def _pipewire(folder: str) -> str:
    return f"{folder.rstrip('/')}/pipewire-0" if folder else ""
