"""What is written down: for one user alone, used once, and nothing but what was written is read."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.config.schema import Reopen
from vfiod.errors import HostError
from vfiod.tools.reopen.opened import MOST, Application
from vfiod.tools.reopen.record import Place, Record, dump, is_writable, load

RECORD = Record(Reopen.ASK, (Application("firefox-esr", "2"), Application("org.kde.kate")))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place({"HOME": str(tmp_path)})


def test_what_is_written_is_read(place: Place) -> None:
    place.write(RECORD)
    assert place.read() == RECORD


def test_only_its_user_can_read_it(place: Place) -> None:
    os.umask(0)
    try:
        place.write(RECORD)
    finally:
        os.umask(0o022)
    status = place.waiting.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, os.getuid())


def test_it_holds_ids_and_no_more() -> None:
    value = json.loads(dump(RECORD))
    assert set(value) == {"version", "how", "applications"}
    assert all(set(row) == {"id", "workspace"} for row in value["applications"])


def test_it_lies_in_the_state_folder(tmp_path: Path) -> None:
    own = Place({"HOME": "/home/alice", "XDG_STATE_HOME": str(tmp_path)})
    assert own.waiting == tmp_path / "vfiod/reopen.json"
    relative = Place({"HOME": "/home/alice", "XDG_STATE_HOME": "state"})
    assert relative.waiting == Path("/home/alice/.local/state/vfiod/reopen.json")


def test_it_is_taken_once_and_can_still_be_seen(place: Place) -> None:
    place.write(RECORD)
    assert (place.take(), place.take()) == (True, False)
    assert (place.read(), place.read_used()) == (None, RECORD)


def test_of_many_who_take_it_one_does(place: Place) -> None:
    place.write(RECORD)
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda: taken.append(place.take())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 15 + [True]


def test_what_others_could_have_written_or_read_is_not_used(place: Place) -> None:
    place.write(RECORD)
    place.waiting.chmod(0o644)
    assert place.read() is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_is_another_s_is_not_used(place: Place) -> None:
    place.write(RECORD)
    os.chown(place.waiting, 1234, -1)
    assert place.read() is None


def test_forgetting_drops_both(place: Place) -> None:
    place.write(RECORD)
    place.take()
    place.write(RECORD)
    place.forget()
    place.forget()
    assert list(place.waiting.parent.iterdir()) == []


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file")
    with pytest.raises(HostError, match="cannot write"):
        Place({"HOME": str(tmp_path)}).write(RECORD)


def test_what_waited_from_before_stays_on_the_list() -> None:
    more = Record(Reopen.ALWAYS, (Application("org.kde.kate", "9"), Application("foot")))
    both = RECORD.over(more)
    assert both == Record(Reopen.ASK, (*RECORD.applications, Application("foot")))
    assert RECORD.over(None) == RECORD


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "7", "[" * 10000, '{"version": 2, "how": "ask", "applications": []}',
     '{"version": 1, "how": "now", "applications": []}',
     '{"version": 1, "how": "ask", "applications": 7}',
     '{"version": 1, "how": "ask", "applications": ["x"]}',
     '{"version": 1, "how": "ask", "applications": [{"id": "x"}]}',
     '{"version": 1, "how": "ask", "applications": [{"id": 7, "workspace": ""}]}',
     '{"version": 1, "how": "ask", "applications": [{"id": "x", "workspace": 7}]}'],
)  # fmt: skip
def test_anything_else_is_no_record(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(text)


@pytest.mark.parametrize("ident", ["", "../x", "/etc/x", "--help", ".x", "a\nb", "x" * 201])
def test_an_id_is_neither_a_path_nor_an_option(ident: str) -> None:
    row = {"id": ident, "workspace": ""}
    with pytest.raises(ValueError, match="not an id"):
        load(json.dumps({"version": 1, "how": "ask", "applications": [row]}))
    assert not is_writable(Application(ident))


def test_a_list_without_end_is_no_record() -> None:
    rows = [{"id": "x", "workspace": ""}] * (MOST + 1)
    with pytest.raises(ValueError, match="51 applications"):
        load(json.dumps({"version": 1, "how": "ask", "applications": rows}))


@given(st.text(), st.text())
def test_what_may_be_written_is_read_again(ident: str, workspace: str) -> None:
    application = Application(ident, workspace)
    if is_writable(application):
        record = Record(Reopen.ALWAYS, (application,))
        assert load(dump(record)) == record
