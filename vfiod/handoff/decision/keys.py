"""Whether the keys that end the guest can be heard while it runs. Pure.

QEMU grabs an evdev device at its start, so that nobody else hears it, and lets it go only when its
own keys are pressed (qemu: ui/input-linux.c).
"""

from collections.abc import Iterator

from vfiod.handoff.decision.request import Request

UNTIL = (
    "from its start on: have QEMU let go of it first, usually by both Ctrl keys at once; if QEMU "
    "hangs, only the power button helps"
)


def unheard(request: Request) -> list[str]:
    """The keyboards with escape_keys, if QEMU has all of them for itself."""
    keyboards = request.state.keyboards
    return list(keyboards) if keyboards and all(keyboards.values()) else []


def find_remarks(request: Request) -> Iterator[str]:
    """What is not heard."""
    if nodes := unheard(request):
        keys, own = ", ".join(request.config.escape_keys), ", ".join(nodes)
        yield (
            f"hearing escape_keys: the guest has every keyboard with {keys} ({own}) for itself "
            f"{UNTIL}"
        )
