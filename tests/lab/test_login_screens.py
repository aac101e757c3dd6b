"""Login screens that people have: one goes, a guest comes, and the same screen is there again.

Of GNOME and Plasma no more than this: GDM gives up a session that has not registered in time, and
none does that an emulated processor draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .emulator import layer
from .emulator.machine import Lab
from .test_desktops import PATIENCE, SUITE, same_after_a_guest

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["sddm", "gdm"])
def lab(request: pytest.FixtureRequest, deb: Path | None) -> Iterator[Lab]:
    """A lab with that login screen, just booted."""
    with Lab(layer.prepared(SUITE, deb, request.param)) as found:
        yield found.boot(PATIENCE)


def test_what_was_on_the_screen_is_there_again(lab: Lab) -> None:
    same_after_a_guest(lab)
