"""What to do about a journal that cannot be understood: nobody knows what it held. Pure."""

import re

from vfiod.config.values import DISPLAY_MANAGER

# As the journal writes it, in what is left of it.
_STOPPED = re.compile(r'"stop-display-manager", "unit": "([\w.@-]+)"')


def remedy(text: str) -> str:
    """The hint of the error. ``text`` is what the file holds.

    A daemon that finds no journal undoes nothing: who removes it has to do that, or to reboot.
    """
    return "\n".join(
        (
            "reboot, which brings everything back: sudo systemctl reboot",
            "or, if every device has its driver, remove that file and run: "
            "sudo systemctl restart vfiod",
            _start_login_screen(text),
            "other services and text consoles that vfiod had stopped stay so until a reboot",
        )
    )


def _start_login_screen(text: str) -> str:
    if match := _STOPPED.search(text):
        return f"then start the login screen again: sudo systemctl start {match[1]}"
    return (
        "then start the login screen again, if there is one (display_manager: in vfiod.yaml may "
        f"name another unit): sudo systemctl start {DISPLAY_MANAGER}"
    )
