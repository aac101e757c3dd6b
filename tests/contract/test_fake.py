"""The model keeps the contract."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.rules import KERNEL, READING, SYSTEMD, Rig, Rule
from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from vfiod.model import PciAddress, Session


def model() -> tuple[FakeHost, Rig]:
    host = pcs.bare()
    host.user.add(FakeUnit("cron.service"))

    @contextmanager
    def hold(address: PciAddress) -> Iterator[int]:
        pid = host.user.spawn(Program("holder", (address,))).pid
        try:
            yield pid
        finally:
            host.user.kill(pid)
            host.effects.thaw()

    @contextmanager
    def leave() -> Iterator[str]:
        session = Session("9", "alice", 1000, "seat0", "user", unit="session-9.scope")
        host.user.log_in(session, Program("tmux", uid=1000, ignores=frozenset({signal.SIGHUP})))
        host.user.hang_up("9")
        yield "9"

    return host, Rig(host, pcs.VGA, pcs.AUDIO, pcs.USB, "cron.service", hold, leave)


@pytest.mark.parametrize("rule", [*READING, *KERNEL, *SYSTEMD], ids=lambda rule: rule.__name__)
def test_the_model_keeps(rule: Rule) -> None:
    host, rig = model()
    before = host.snapshot()
    rule(rig)
    assert host.snapshot() == before
