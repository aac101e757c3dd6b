"""The PC that most scenarios take place on."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    """Somebody works on a desktop."""
    return Rig(pcs.desktop(), run_directory)
