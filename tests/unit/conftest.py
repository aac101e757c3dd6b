"""What hangs in a test must not outlive it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _release_fifos(request: pytest.FixtureRequest) -> Iterator[None]:
    """A process that waits for the other end of a FIFO in ``tmp_path`` is given one."""
    directory: Path | None = None
    if "tmp_path" in request.fixturenames:
        directory = request.getfixturevalue("tmp_path")
    yield
    for path in directory.iterdir() if directory is not None and directory.is_dir() else ():
        if path.is_fifo():
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
