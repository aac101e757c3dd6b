"""python3 -m tests.lab: build the lab, leave one running, look at it, stop it, make the demo."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from .emulator import background, layer
from .emulator.hardware import Hardware
from .emulator.recipe import SUITES
from .emulator.waiting import LabError
from .tools import demo, figures, soak
from .tools.bench import main as bench


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--suite", choices=SUITES, default=SUITES[0])
    common.add_argument("--deb", type=Path, help="vfiod package to install")
    commands.add_parser("build", parents=[common], help="build the images into the cache")
    up = commands.add_parser("up", parents=[common], help="leave a lab running")
    up.add_argument("--display", default="none", help="QEMU display, e.g. gtk")
    shot = commands.add_parser("screenshot", help="write what the running lab's GPU shows")
    shot.add_argument("file", type=Path)
    commands.add_parser("down", help="stop the running lab")
    show = commands.add_parser("demo", parents=[common], help="one handoff and return, with proof")
    show.add_argument("--out", type=Path, default=Path("build/demo"))
    race = commands.add_parser("bench", parents=[common], help="vfiod against other ways")
    race.add_argument("--out", type=Path, default=Path("build/bench"))
    race.add_argument("--rounds", type=int, default=7)
    many = commands.add_parser("soak", parents=[common], help="many round trips in one boot")
    many.add_argument("--rounds", type=int, default=50)
    many.add_argument("--seed", type=int, default=1)
    commands.add_parser("figures", parents=[common], help="what vfiod costs a host")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked; a LabError is the user's message."""
    asked = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return act(asked)
    except LabError as e:
        print("\n".join((str(e), *getattr(e, "__notes__", ()))), file=sys.stderr)
        return 1


def act(asked: argparse.Namespace) -> int:
    """One command."""
    match asked.command:
        case "build":
            print(layer.prepared(asked.suite, asked.deb).disk)
        case "up":
            image = layer.prepared(asked.suite, asked.deb)
            tell(background.up(image, Hardware(display=asked.display)))
        case "screenshot":
            background.screenshot(asked.file)
        case "down":
            background.down()
        case "demo":
            return demo.run(asked.suite, package(asked), asked.out)
        case "bench":
            bench.run(asked.suite, package(asked), asked.out, asked.rounds)
        case "soak":
            return soak.run(asked.suite, package(asked), asked.rounds, asked.seed)
        case "figures":
            print(json.dumps(figures.measure(asked.suite, package(asked)), indent=2))
    return 0


def package(asked: argparse.Namespace) -> Path:
    """The package to show or measure; there is nothing to see without one."""
    if asked.deb is None:
        raise LabError(f"{asked.command} needs --deb PATH, the package")
    return Path(asked.deb)


def tell(running: background.Running) -> None:
    """How to reach the lab that was left running."""
    print(f"ssh:        {background.ssh_line(running)}")
    print("screenshot: python3 -m tests.lab screenshot FILE.png")
    print(f"QMP:        {running.wiring.qmp}")
    print("stop:       python3 -m tests.lab down")


if __name__ == "__main__":
    sys.exit(main())
