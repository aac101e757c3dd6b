"""The state in words."""

import time
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.cli.verbs import status


def test_a_trial_says_how_long_it_has_left_and_how_it_is_confirmed(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    rig.start()
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    rig.host.commands.trial = 1_214_300_000
    said = status.as_text({**rig.status.read(), "last": None}).splitlines()
    assert said[1] == (
        "On trial: in 214 s it ends and the display comes back. To keep it: sudo vfiod keep"
    )
    rig.host.commands.trial = 0
    assert "On trial" not in status.as_text({**rig.status.read(), "last": None})
