"""What `vfiod status` takes on this machine while a daemon answers: on a private bus, a fake PC."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from tests.dbus.bus import Daemon, PrivateBus
from tests.fakes import pcs

RUNS = ["--warmup", "5", "--runs", "50", "--style", "basic"]


def main() -> None:
    """Side by side with Python doing nothing, in one run of hyperfine."""
    with tempfile.TemporaryDirectory(prefix="vfiod-bench-") as directory:
        bus = PrivateBus(Path(directory))
        config = Path(directory, "vfiod.yaml")
        config.write_text(pcs.configuration())
        daemon = Daemon(bus, config, Path(directory, "journal.json"))
        try:
            commands = {"python": "-c pass", "vfiod status": "-m vfiod status"}
            named = [w for n, c in commands.items() for w in ("-n", n, f"{sys.executable} {c}")]
            subprocess.run(["hyperfine", "-N", *RUNS, *named], env=bus.environment, check=True)
        finally:
            daemon.stop()
            with redirect_stdout(StringIO()):  # what dbus-daemon complained of
                bus.stop()


if __name__ == "__main__":
    main()
