"""Completion in the shell: argcomplete asks the parser itself, so that nothing can be forgotten.

config/completions has what the shells load. Without argcomplete there is no completion, and vfiod
is not a bit slower for it: this module is imported only when a shell asks.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# Guests that need not be in the configuration yet.
_ANY_GUEST = ("init", "tune", "doctor")
# A guest that is to be made has a new name.
_NO_GUEST = ("create",)


def complete(parser: argparse.ArgumentParser, config: Path | None = None) -> None:
    """Answer the shell and end the process (argcomplete's protocol, in the environment).

    Arguments: ``config`` is the file that names the guests, by default the one in /etc.
    """
    try:
        import argcomplete
    except ImportError:
        sys.exit(1)
    files = argcomplete.FilesCompleter()
    for action, prog in _arguments(parser):
        if action.dest == "subject":
            action.completer = lambda prefix, **_: [*cards(), *files(prefix)]
        elif offer := _offer(action, prog, config):
            action.completer = lambda *, _offer=offer, **_: _offer()
    argcomplete.autocomplete(parser)


def _offer(action: Any, prog: str, config: Path | None) -> Callable[[], list[str]] | None:
    """What fits an argument; None leaves it to the shell, which offers names of files."""
    if action.metavar == "GUEST":
        verb = prog.partition(" ")[2]
        known = verb not in _ANY_GUEST
        return list if verb in _NO_GUEST else lambda: guest_names(config, only_configured=known)
    if action.metavar == "ADDRESS":
        return cards if action.dest == "address" else devices
    plain: dict[str, Callable[[], list[str]]] = {
        "network": networks,
        "os_variant": systems,
        "port": list,
        "seconds": list,
        "since": list,
    }
    return plain.get(action.dest)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[Any, str]]:
    """Every argument of all verbs, with the words of its command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _arguments(verb)
        else:
            yield action, parser.prog


def guest_arguments(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Every argument that is a guest, of all verbs: those with GUEST as their word in the help."""
    return (action for action, _ in _arguments(parser) if action.metavar == "GUEST")


def guest_names(config: Path | None, *, only_configured: bool = True) -> list[str]:
    """The guests that the configuration names, and else those of libvirt; none if unreadable."""
    found: list[str] = []
    with suppress(Exception):
        from vfiod.config.file import read_config_file

        found += (read_config_file(config) if config else read_config_file()).guests
    with suppress(Exception):
        if not only_configured:
            from vfiod.guest.connection import Guests

            found += Guests(read_only=True).names()
    return list(dict.fromkeys(found))


def networks() -> list[str]:
    """Those of libvirt, and the one that needs none."""
    found = ["user"]
    with suppress(Exception):
        from vfiod.guest.connection import Guests

        found += Guests(read_only=True).networks()
    return found


def systems() -> list[str]:
    """The short names that libosinfo has for what can be installed."""
    with suppress(Exception):
        from vfiod.tools.create.osinfo import short_names

        return short_names()
    return []


def cards() -> list[str]:
    """Addresses of graphics cards of this PC."""
    return _addresses(lambda device: device.class_code >> 16 == _DISPLAY)


def devices() -> list[str]:
    """Addresses of all that is no bridge."""
    return _addresses(lambda device: not device.is_bridge)


_DISPLAY = 0x03  # class codes of PCI: display controller


def _addresses(wanted: Callable[[Any], bool]) -> list[str]:
    with suppress(Exception):
        from vfiod.host.facts.pci import read_devices

        return [str(a) for a, device in read_devices(Path("/")).items() if wanted(device)]
    return []
