"""What setup would do on each recorded PC, word for word, and that doing it is enough."""

from pathlib import Path

import pytest

from tests.fakes.setuphost import SetupHost
from tests.hosts import NAMES, build, check_golden
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind
from vfiod.tools.setup import facts, modules, render
from vfiod.tools.setup.apply import Setup
from vfiod.tools.setup.decide import decide


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown(name: str, tmp_path: Path) -> None:
    found = facts.read(build(name, tmp_path))
    plan = decide(found)
    lines = [*render.report(found, plan, list(modules.extras(found))), *render.afterwards(plan)]
    check_golden(name, "setup.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_doing_it_is_enough_and_undo_restores_all(name: str, tmp_path: Path) -> None:
    host = SetupHost(build(name, tmp_path))
    before = host.snapshot()
    worker = Setup(host.run, host.told.append, host.root, host.state)
    worker.apply(decide(facts.read(host.root)))
    after = facts.read(host.root)
    assert not decide(after).changes
    defeating = [item for item in after.leftovers if item.effect is Effect.DEFEATS]
    assert all(item.kind is Kind.RUNNING for item in defeating)
    assert not worker.undo()
    assert host.snapshot() == before
