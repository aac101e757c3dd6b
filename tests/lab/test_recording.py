"""A recording says of a machine what the machine itself says (vfiod.tools.recording.record)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vfiod.cli.verbs import groups
from vfiod.tools.recording import format

from .emulator.machine import Lab


@pytest.mark.long
def test_a_recording_has_the_groups_of_the_machine(lab: Lab, tmp_path: Path) -> None:
    text = lab.output("python3", "-m", "vfiod.tools.recording.record", timeout=120)
    format.materialise(format.load(text), tmp_path)
    told = json.loads(lab.output("vfiod", "groups", "--json", timeout=60))
    assert groups.facts(groups.read(tmp_path)) == told
    assert "alice" not in text
