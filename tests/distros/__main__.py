"""python3 -m tests.distros: the tests that need no lab, with the packages of other Debians.

sid stands in for the distributions that roll. That it cannot be installed today is its own
fault and only told; that a test fails there is ours.
"""

from __future__ import annotations

import argparse
import logging
import platform
import sys
import time
from collections.abc import Sequence

from . import chroot

# The style gate is about the sources, which are the same everywhere, and a browser is too big for
# a chroot. What a distribution could change is seen by one case as well as by hundreds. A polkitd
# of its own needs a mount over /proc, which a namespace within a namespace is refused.
PYTEST = (
    "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "3",
    "--ignore=tests/lab", "--ignore=tests/test_gate.py",
    "--ignore=tests/packages", "--ignore=tests/cockpit", "--ignore=tests/dbus/test_polkit.py",
)  # fmt: skip
TESTS = ("-m", "not long and not exhaustive and not hypothesis", "tests")


def main(arguments: Sequence[str] | None = None) -> int:
    """Test each suite that was asked for; 0 if vfiod is right on all of them."""
    top = argparse.ArgumentParser(prog="python3 -m tests.distros", description=__doc__)
    top.add_argument("--packages", required=True, help="what vfiod and its tests need")
    top.add_argument("--suite", choices=chroot.SUITES, action="append")
    top.add_argument("--others", action="store_true", help="not the one that this machine runs")
    top.add_argument("tests", nargs="*", default=TESTS, help="instead of all, after a --")
    asked = top.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    left_out = own_suite() if asked.others else ""
    suites = [suite for suite in asked.suite or chroot.SUITES if suite != left_out]
    passed = [passes(suite, asked.packages.split(), asked.tests) for suite in suites]
    return 0 if all(passed) else 1


def own_suite() -> str:
    """The codename of the release that this machine runs, from os-release(5)."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def passes(suite: str, packages: Sequence[str], tests: Sequence[str]) -> bool:
    """Whether vfiod's tests pass with this suite's packages, as far as those can be had."""
    try:
        root = chroot.built(suite, packages)
    except chroot.ChrootError as error:
        print(error, file=sys.stderr)
        if suite == chroot.ROLLING:
            print(f"WARNING: nothing was tested on {suite}: see above", file=sys.stderr)
        return suite == chroot.ROLLING
    begun = time.monotonic()
    status = chroot.run(root, (*PYTEST, *tests))
    print(f"{suite}: {'failed' if status else 'passed'}, {time.monotonic() - begun:.0f} s")
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
