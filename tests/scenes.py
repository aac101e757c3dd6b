"""What commands print at length, by the code that prints it: ``python -m tests.scenes SCENE``.

The facts are those of recorded PCs and of the model, the terminal is whatever this runs at.
"""

import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import hosts
from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.cli import ready, terminal
from vfiod.cli.main import main
from vfiod.cli.verbs import rehearse, setup, status, trial
from vfiod.tools.init.facts import Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.render import as_lines
from vfiod.tools.init.suggest import read_facts

WRONG = """\
sessions: kill
displaymanager: foo
limits:
  desktop: -1
guests:
  win10:
    device: [1]
    devices: [0000:01:00.0, x, 0000:01:00.0]
  "a/b":
    devices: []
"""


def overview(_: Path) -> None:
    main([])


def wrong_configuration(folder: Path) -> None:
    path = folder / "wrong.yaml"
    path.write_text(WRONG)
    main(["check-config", str(path)])


def stuck(folder: Path) -> None:
    """The display does not come back, whatever is tried."""
    rig = Rig(pcs.desktop(), folder)
    pid = rig.start()
    rig.host.kernel.drivers["amdgpu"].refuses = True
    rig.end_guest(pid)
    terminal.say(status.as_text(json.loads(json.dumps({**rig.status.read(), "last": None}))))


def before(_: Path) -> None:
    """What try and rehearse say before they ask."""
    people = ("alice (firefox, libreoffice)", "bob")
    arguments = Namespace(guest="win10", seconds=120.0, port=None)
    terminal.say(ready.describe("win10", trial.what(arguments), people))
    terminal.say()
    terminal.say(ready.describe("win10", rehearse.WHAT.format(guest="win10"), None))
    terminal.say()
    terminal.say(rehearse.NEXT.format(guest="win10", seconds=7.3))


def proposal(folder: Path) -> None:
    facts = read_facts(hosts.build("ryzen-1600-rx480", folder))
    terminal.say("\n".join(as_lines("win10", propose(facts, Wishes()), width=terminal.width())))


def preparation(folder: Path) -> None:
    arguments = Namespace(undo=False, json=False, dry_run=True, extras=[])
    unused: Any = None
    setup.run_on(arguments, hosts.build("ryzen-1600-static", folder), unused)


SCENES: dict[str, Callable[[Path], None]] = {
    scene.__name__: scene
    for scene in (overview, wrong_configuration, stuck, before, proposal, preparation)
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vfiod-printed-") as name:
        SCENES[sys.argv[1]](Path(name))
