"""Opening an application as the desktop would: in a scope of its own, by its entry.

The scope is named as systemd's page has it, so that a log-out ends it and the next handoff knows
what it is, whatever desktop this is. gio (GLib) reads the entry and starts what it says.
"""

import secrets
from collections.abc import Mapping

from vfiod.errors import HostError
from vfiod.tools.reopen.entry import Entry
from vfiod.util.programs import find, leave_running
from vfiod.util.unitnames import scope_of

_SECONDS = 20.0


def launch(entry: Entry, environment: Mapping[str, str]) -> None:
    """Open it. Raises HostError if it could not be started."""
    systemd_run, gio = _require("systemd-run"), _require("gio")
    unit = scope_of(entry.ident, secrets.token_hex(4))
    options = ["--user", "--scope", "--quiet", "--collect", "--slice=app.slice", f"--unit={unit}"]
    argv = [systemd_run, *options, "--", gio, "launch", entry.path]
    status = leave_running(argv, seconds=_SECONDS, environment=environment)
    if status:
        text = f"{entry.name} did not start (exit status {status})"
        raise HostError(text, f"to see why: gio launch {entry.path}")


def _require(program: str) -> str:
    found = find(program)
    if found is None:
        raise HostError(
            f"{program} is not installed",
            "Debian and Ubuntu have gio in libglib2.0-bin" if program == "gio" else "",
        )
    return found
