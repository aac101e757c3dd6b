"""Work that a user without rights does: in a child, as a test's own process may be root's."""

import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NOBODY = 65534


def as_nobody(work: Callable[[], Any], below: Path) -> Any:
    """What ``work`` gives; it may enter ``below``. Whatever it imports must be imported before.

    Raises what it raises.
    """
    let_in(below)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, theirs)
    os.close(theirs)
    with open(ours, "rb") as answer:
        value, error = pickle.load(answer)
    os.waitpid(child, 0)
    if error is not None:
        raise error
    return value


def let_in(below: Path) -> None:
    """Let everybody into this folder; what else those above it allow, /tmp for one, stays."""
    for folder in (below, *below.parents[:3]):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o555)


def _answer(work: Callable[[], Any], pipe: int) -> None:
    """Write the value or the error, and end this process whatever happens."""
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        answer: tuple[Any, BaseException | None] = (work(), None)
    except BaseException as error:
        answer = (None, error)
    with open(pipe, "wb") as file:
        pickle.dump(answer, file)
        file.flush()
        os._exit(0)
