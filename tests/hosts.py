"""Recorded and hand-made PCs in tests/data/hosts, rebuilt as trees for the readers of survey.

Each has a host.yaml (vfiod.tools.recording.format) and, beside it, what commands say about that PC.
Another PC is added on it by

    python3 -m vfiod.tools.recording.record > tests/data/hosts/NAME/host.yaml

After a change that is meant to alter what is said, write those texts anew and review the diff:

    UPDATE_GOLDEN=1 build/venv/bin/python -m pytest -q tests/unit && git diff tests/data/hosts
"""

import os
from functools import cache
from pathlib import Path

from vfiod.tools.recording import format

FOLDER = Path(__file__).parent / "data/hosts"
NAMES = tuple(sorted(path.parent.name for path in FOLDER.glob("*/host.yaml")))


def build(name: str, root: Path) -> Path:
    """The PC of that name as a tree in the empty directory ``root``, which is returned."""
    format.materialise(_load(name), root)
    return root


@cache
def _load(name: str) -> format.Recording:
    return format.load((FOLDER / name / "host.yaml").read_text(encoding="utf-8"))


def check_golden(name: str, file: str, said: str) -> None:
    """``said`` is what the reviewed ``file`` beside the PC has."""
    path = FOLDER / name / file
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(said, encoding="utf-8")
    assert path.exists(), f"{path} is missing: write it with UPDATE_GOLDEN=1"
    assert said == path.read_text(encoding="utf-8")
