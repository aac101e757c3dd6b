"""Ways to a card's ROM that are left, for a person: what each is, and its commands. Pure."""

from collections.abc import Iterator, Sequence

from vfiod.model import PciFunction

UNLOAD_NVIDIA = "sudo modprobe -r nvidia_drm nvidia_modeset nvidia_uvm nvidia"
LOAD_NVIDIA = "sudo modprobe nvidia_drm"

_INTEL = 0x8086
Way = tuple[str, ...]  # what it is; then its commands, in order


def numbered(ways: Sequence[Way]) -> str:
    """All of them below each other, each command on a line of its own."""
    return "\n".join(line for number, way in enumerate(ways, 1) for line in _lines(number, way))


def _lines(number: int, way: Way) -> Iterator[str]:
    what, *commands = way
    yield f"{number}. {what}"
    yield from (f"     {command}" for command in commands)


def dump(function: PciFunction, *options: str) -> str:
    """The command that writes the card's ROM to a new file."""
    return f"sudo vfiod rom dump {function.address} FILE{''.join(f' {each}' for each in options)}"


def with_the_card_free(function: PciFunction, *options: str) -> Way:
    """Without the desktop, and without NVIDIA's modules, which are loaded again after."""
    has_modules = function.driver == "nvidia"
    return (
        "from ssh or a text console, without the desktop (it ends: save your work):",
        "sudo systemctl stop display-manager",
        *([UNLOAD_NVIDIA] if has_modules else []),
        dump(function, *options),
        *([LOAD_NVIDIA] if has_modules else []),
        "sudo systemctl start display-manager",
    )


def found_anew(function: PciFunction) -> Way:
    """Linux then shows the card's own ROM in place of the shadow copy."""
    return "have Linux lose the card and find it again:", dump(function, "--rescan")


def copied(function: PciFunction, source: str) -> Way:
    """From a copy that this machine has."""
    whose = "its driver" if source == "driver" else "the firmware"
    return f"from the copy that {whose} keeps:", dump(function, f"--from {source}")


def has_none(function: PciFunction) -> bool:
    """True for the graphics of an Intel processor: its ROM is a part of the PC's firmware.

    Nothing that can be done on a running PC reads it (QEMU: docs/igd-assign.txt).
    """
    on_root = function.vendor == _INTEL and function.address.bus == 0
    return on_root and function.is_display and not function.is_virtual


def elsewhere(function: PciFunction) -> list[Way]:
    """What does not hang on this boot of this PC."""
    if has_none(function):
        return [
            (
                "the card has no ROM of its own, it is in the PC's firmware; check a file that was "
                "made for this processor's graphics:",
                f"vfiod rom check FILE --for {function.address}",
            )
        ]
    return [
        (
            "once boot with another card as the boot display (firmware set-up), then:",
            dump(function),
        ),
        (
            "take the ROM file from the card's maker, or from GPU-Z under Windows, and check it:",
            f"vfiod rom check FILE --for {function.address}",
        ),
    ]
