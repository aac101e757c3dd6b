"""What is told of a guest before its start, and the same after a way through another process."""

import json

import pytest

from tests.fakes import pcs
from vfiod.errors import Refused, VfiodError
from vfiod.guest import domain
from vfiod.handoff.decision import readiness, snapshot
from vfiod.handoff.decision.ending import Person
from vfiod.handoff.decision.readiness import GuestFacts
from vfiod.handoff.decision.request import Request

ALICE = Person("alice", ("Firefox", "LibreOffice"))
FULL = GuestFacts("win11", "Games", "http://microsoft.com/win/11", "shut off", (), (ALICE,))
REFUSED = GuestFacts("tux", reasons=(("it is full", "empty it"), ("it is red", "")))


def request(memory: int = 4 * pcs.GIB) -> Request:
    host, config = pcs.desktop(), pcs.settings()
    wanted = domain.parse(pcs.xml(memory=memory))
    guest = config.guests["win10"]
    return Request(config, guest, wanted, snapshot.read(host, config, guest, wanted))


def test_a_guest_that_could_start_names_whose_work_ends() -> None:
    reasons, people = readiness.assess(request())
    assert reasons == ()
    assert [person.user for person in people] == ["alice"]


def test_a_refusal_does_not_hide_whose_work_would_end() -> None:
    reasons, people = readiness.assess(request(memory=900 * pcs.GIB))
    assert "of memory" in reasons[0][0]
    assert people


def test_what_is_dumped_is_loaded() -> None:
    assert readiness.load(readiness.dump([FULL, REFUSED])) == (FULL, REFUSED)


def test_others_read_it_without_vfiod() -> None:
    full, refused = json.loads(readiness.dump([FULL, REFUSED]))
    assert (full["readiness"], full["people"]) == ("ok", ["alice: Firefox, LibreOffice"])
    assert refused["readiness"] == "it is full. empty it; it is red"
    assert refused["reasons"][0] == {"reason": "it is full", "remedy": "empty it"}


def test_a_trial_is_one_guest_s() -> None:
    rows = json.loads(readiness.with_trial(readiness.dump([FULL, REFUSED]), "tux", 7))
    assert [row["trial_until"] for row in rows] == [0, 7]


def test_who_may_not_start_says_why() -> None:
    FULL.require_ready()
    with pytest.raises(Refused) as caught:
        REFUSED.require_ready()
    assert [reason.hint for reason in caught.value.reasons] == ["empty it", ""]


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"name": "x"}]', "null"])
def test_something_else_is_no_list_of_guests(text: str) -> None:
    with pytest.raises(VfiodError, match="not a list of guests"):
        readiness.load(text)
