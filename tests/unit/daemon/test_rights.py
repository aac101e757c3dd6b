"""Which right a start takes: it depends on whose work ends, and nothing else."""

import pytest

from vfiod.daemon import rights
from vfiod.daemon.starts import Wish, require_still_allowed
from vfiod.errors import Refused
from vfiod.handoff.decision.ending import Person

ALICE, BOB, ROOT = Person("alice"), Person("bob", ("Firefox",)), Person("root")


@pytest.mark.parametrize("people", [(), (ALICE,), (Person("alice", ("vi",)),)])
def test_one_s_own_work_may_end(people: tuple[Person, ...]) -> None:
    assert rights.to_start(people, "alice") is rights.START


@pytest.mark.parametrize("people", [(BOB,), (ALICE, BOB), (ROOT,)])
@pytest.mark.parametrize("caller", ["alice", "", "user 1000", "Alice"])
def test_that_of_others_takes_more(people: tuple[Person, ...], caller: str) -> None:
    assert rights.to_start(people, caller) is rights.START_OTHERS


def test_a_right_to_one_s_own_work_is_none_to_others() -> None:
    mine = Wish("win10", 1000, "alice", spares_others=True)
    require_still_allowed([ALICE], mine)
    with pytest.raises(Refused, match="the work of bob would end"):
        require_still_allowed([ALICE, BOB], mine)
    require_still_allowed([ALICE, BOB], Wish("win10", 1000, "alice", spares_others=False))
