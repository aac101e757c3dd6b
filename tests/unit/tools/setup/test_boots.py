"""Setup on every distribution's way to boot, word for word, and that doing it is enough."""

from pathlib import Path

import pytest

from tests.boots import NAMES, asked, build, check_golden
from tests.fakes.setuphost import SetupHost
from vfiod.tools.setup import facts, render
from vfiod.tools.setup.apply import Setup
from vfiod.tools.setup.changes import FileChange
from vfiod.tools.setup.decide import decide


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said(name: str, tmp_path: Path) -> None:
    found = facts.read(build(name, tmp_path))
    plan = decide(found, asked(name))
    lines = [*render.report(found, plan, []), *render.afterwards(plan)]
    check_golden(name, "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_has_nothing_to_do_and_undo_restores_all(name: str, tmp_path: Path) -> None:
    host = SetupHost(build(name, tmp_path))
    before = host.snapshot()
    worker = Setup(host.run, host.told.append, host.root, host.state)
    first = decide(facts.read(host.root), asked(name))
    worker.apply(first)
    second = decide(facts.read(host.root), asked(name))
    assert not [change for change in second.changes if isinstance(change, FileChange)]
    assert set(second.changes) <= set(first.changes)
    assert not worker.undo()
    assert host.snapshot() == before
