"""A trial is one handoff's: what would end its guest is gone when that handoff is."""

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from tests.scenarios.test_late import spoil
from vfiod.errors import Busy, Refused
from vfiod.events import Kind
from vfiod.model import Phase

ENDS = 900_000_000


@pytest.fixture
def tried(rig: Rig) -> Rig:
    """`vfiod try win10` has set the timer."""
    rig.host.commands.trial = ENDS
    return rig


def test_a_trial_goes_on_while_its_guest_runs(tried: Rig) -> None:
    tried.start()
    tried.recover()
    assert tried.host.commands.trial_until("win10") == ENDS


def test_the_end_of_the_guest_is_that_of_its_trial(tried: Rig) -> None:
    tried.end_guest(tried.start())
    assert tried.phase is Phase.HOST
    assert tried.host.commands.trial_until("win10") == 0


def test_a_daemon_that_is_started_anew_ends_it_too(tried: Rig) -> None:
    pid = tried.start()
    tried.host.user.kill(pid)
    tried.host.libvirt.clean_up()
    tried.recover()
    assert tried.phase is Phase.HOST
    assert tried.host.commands.trial_until("win10") == 0


def test_a_start_that_is_refused_has_no_trial(tried: Rig) -> None:
    tried.host.memory.free = 0
    assert isinstance(tried.prepare(), Refused)
    assert tried.host.commands.trial_until("win10") == 0


def test_a_start_that_fails_on_its_way_has_no_trial(tried: Rig) -> None:
    spoil(tried, f"probe {pcs.VGA}", Fault.FAIL_BEFORE)
    assert tried.prepare() is not None
    assert tried.phase is Phase.HOST
    assert tried.host.commands.trial_until("win10") == 0


def test_a_guest_that_never_comes_has_no_trial(tried: Rig) -> None:
    assert tried.prepare() is None
    tried.pass_time(300)
    assert tried.phase is Phase.HOST
    assert tried.host.commands.trial_until("win10") == 0


def test_another_guest_s_start_that_fails_leaves_it_alone(tried: Rig) -> None:
    tried.text += "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"
    tried.start()
    assert isinstance(tried.prepare("other"), Busy)
    assert tried.host.commands.trial_until("win10") == ENDS


def test_a_timer_that_stays_is_told_and_keeps_nothing_from_coming_home(tried: Rig) -> None:
    tried.host.commands.keeps_trials = True
    tried.end_guest(tried.start())
    assert tried.differences() == {}
    (told,) = [text for text in tried.messages(Kind.REMARK) if "trial" in text]
    assert told.splitlines() == [
        "a trial of win10 may go on, and end its next start: no answer to StopUnit in time",
        "    to stop it: sudo vfiod keep",
    ]
