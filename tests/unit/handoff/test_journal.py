"""The journal's file: whole or not there, readable by the hook's grep, honest about faults."""

import errno
import json
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.unit.handoff.steps.test_codec import ODD, ONE_OF_EACH
from vfiod.errors import Awaited, HostError, Stuck
from vfiod.handoff.journal import VERSION, Entry, Journal, Record
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.model import Phase
from vfiod.util.files import replace_file

RECORD = Record(
    transaction="0123456789abcdef",
    guest=ODD,
    uuid=pcs.UUID,
    devices=pcs.DEVICES,
    groups=(10, 11),
    phase=Phase.HANDOFF,
    since=1234.5,
    entries=tuple(Entry(step, {"driver": "amdgpu", "override": None}) for step in ONE_OF_EACH),
    faults=("the kernel said: »no«",),
    awaits=True,
    units=("lightdm.service",),
    display_lost=True,
    returning=tuple(Entry(step, {"driver": "amdgpu"}) for step in ONE_OF_EACH[:3]),
    seen=True,
)


# What vfiod 0.1.0 wrote: it may run a guest while the package is upgraded.
OLD = (Path(__file__).parents[2] / "data" / "journals" / "0.1.0.json").read_text()


@pytest.fixture
def journal(run_directory: Path) -> Journal:
    return Journal(run_directory / "journal.json")


def path_of(run_directory: Path) -> Path:
    return run_directory / "journal.json"


def test_a_record_comes_back_as_it_was() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_a_journal_of_the_version_before_is_read() -> None:
    record = Record.from_json(OLD)
    steps = [entry.step for entry in record.entries]
    old = {entry["step"]["kind"] for entry in json.loads(OLD)["entries"]}
    assert [s for s in steps if s.kind in old] == [s for s in ONE_OF_EACH if s.kind in old]
    assert (record.phase, record.devices) == (Phase.GUEST, (pcs.VGA, pcs.AUDIO))
    assert (record.may_suspend, record.may_reboot, record.seen) == (True, True, False)
    assert record.entries[-1].stage > record.entries[0].stage


def test_what_got_stuck_can_be_told_by_another_daemon() -> None:
    late = Awaited("lightdm.service did not finish", units=["lightdm.service"])
    stuck = Stuck("the screen is dark", "wait", display_lost=True, awaits=[late])
    again = Record.from_json(RECORD.got_stuck(stuck).to_json())
    assert (again.phase, again.awaits) == (Phase.STUCK, True)
    assert again.stuck.units == frozenset({"lightdm.service"})
    assert again.stuck.display_lost
    assert str(again.stuck) == str(stuck)


def test_a_journal_is_written_as_the_version_before_did() -> None:
    """Kinds and names stay; what is new stands beside them."""
    written, old = json.loads(Record.from_json(OLD).to_json()), json.loads(OLD)
    kinds = {entry["step"]["kind"] for entry in old["entries"]}
    entries = [entry for entry in written.pop("entries") if entry["step"]["kind"] in kinds]
    for now, before in zip(entries, old.pop("entries"), strict=True):
        assert now["step"].items() >= before["step"].items()
        assert (now["prior"], now["stage"]) == (before["prior"], before["stage"])
    assert written.items() >= old.items()


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_comes_back(phase: Phase) -> None:
    record = replace(RECORD, phase=phase)
    assert Record.from_json(record.to_json()).phase is phase


def test_names_stand_raw_for_the_hook_to_find() -> None:
    """Letters stand as they are; only what JSON cannot hold raw is escaped."""
    text = replace(RECORD, guest="Gäst — 客人 'x' -n").to_json()
    assert '"guest": "Gäst — 客人 \'x\' -n"' in text


def test_quotes_and_backslashes_are_escaped_once() -> None:
    text = replace(RECORD, guest='a "b" \\c').to_json()
    assert r'"guest": "a \"b\" \\c"' in text


def test_nothing_under_way_is_none(journal: Journal) -> None:
    assert journal.read() is None
    assert journal.update(lambda record: record) is None


def test_begin_read_clear(journal: Journal) -> None:
    journal.begin(RECORD)
    assert journal.read() == RECORD
    journal.clear()
    assert journal.read() is None
    journal.clear()


def test_entries_without_a_stage_are_undone_one_after_the_other() -> None:
    value = json.loads(RECORD.to_json())
    for entry in value["entries"]:
        del entry["stage"]
    read = Record.from_json(json.dumps(value))
    assert [entry.stage for entry in read.entries] == list(range(len(RECORD.entries)))


def test_clear_takes_what_a_killed_write_has_left(journal: Journal, run_directory: Path) -> None:
    journal.begin(RECORD)
    (run_directory / ".journal.json.x1").touch()
    (run_directory / "other").touch()
    journal.clear()
    assert [path.name for path in run_directory.iterdir()] == ["other"]


def test_nothing_is_begun_without_a_journal(journal: Journal) -> None:
    with pytest.raises(HostError, match="was removed while a handoff was under way"):
        journal.push(RECORD.entries[0])
    assert journal.read() is None


def test_entries_are_pushed_and_removed(journal: Journal) -> None:
    journal.begin(replace(RECORD, entries=()))
    for entry in RECORD.entries:
        journal.push(entry)
    assert journal.read() == RECORD
    journal.remove(RECORD.entries[3])
    record = journal.read()
    assert record is not None
    assert record.entries == (*RECORD.entries[:3], *RECORD.entries[4:])
    journal.remove(RECORD.entries[3])
    assert journal.read() == record


def test_update_keeps_everything_else(journal: Journal) -> None:
    journal.begin(RECORD)
    changed = journal.update(lambda record: replace(record, phase=Phase.GUEST))
    assert changed == replace(RECORD, phase=Phase.GUEST) == journal.read()


def test_everybody_may_read_the_file_and_no_other_is_left(
    journal: Journal, run_directory: Path
) -> None:
    journal.begin(RECORD)
    journal.push(RECORD.entries[0])
    assert os.listdir(run_directory) == ["journal.json"]
    assert stat.S_IMODE(path_of(run_directory).stat().st_mode) == 0o644


def test_another_version_is_an_error(journal: Journal, run_directory: Path) -> None:
    journal.begin(RECORD)
    value = json.loads(path_of(run_directory).read_text())
    path_of(run_directory).write_text(json.dumps({**value, "version": VERSION + 1}))
    with pytest.raises(HostError, match="the journal cannot be read") as caught:
        journal.read()
    assert "another version of vfiod" in caught.value.message
    assert "remove that file" in caught.value.hint


def test_what_a_damaged_journal_held_has_to_be_done_by_who_removes_it(
    journal: Journal, run_directory: Path
) -> None:
    """A daemon that finds none undoes nothing: the login screen would stay away."""
    path_of(run_directory).write_text(RECORD.to_json()[:-20])
    with pytest.raises(HostError) as caught:
        journal.read()
    stopped = next(s.unit for s in ONE_OF_EACH if isinstance(s, StopDisplayManager))
    assert caught.value.hint.splitlines() == [
        "reboot, which brings everything back: sudo systemctl reboot",
        "or, if every device has its driver, remove that file and run: "
        "sudo systemctl restart vfiod",
        f"then start the login screen again: sudo systemctl start {stopped}",
        "other services and text consoles that vfiod had stopped stay so until a reboot",
    ]
    path_of(run_directory).write_text("{")
    with pytest.raises(HostError) as caught:
        journal.read()
    assert caught.value.hint.splitlines()[2].endswith(
        "another unit): sudo systemctl start display-manager.service"
    )


def test_a_truncated_file_is_an_error_wherever_it_ends(
    journal: Journal, run_directory: Path
) -> None:
    whole = RECORD.to_json().encode()
    for length in range(0, len(whole) - 1, 37):
        path_of(run_directory).write_bytes(whole[:length])
        with pytest.raises(HostError):
            journal.read()


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "5", '"x"', "{}", '{"version": 1}', "\xff", "{" * 50,
     '{"version": 1, "entries": 5}', '{"version": 1, "entries": [{"step": "x", "prior": {}}]}'],
)  # fmt: skip
def test_a_file_that_is_no_journal_is_an_error(
    journal: Journal, run_directory: Path, text: str
) -> None:
    path_of(run_directory).write_text(text, encoding="latin-1")
    with pytest.raises(HostError):
        journal.read()


@pytest.mark.parametrize("key", ["guest", "uuid", "devices", "groups", "phase", "since", "faults"])
def test_a_missing_part_is_an_error(journal: Journal, run_directory: Path, key: str) -> None:
    value = json.loads(RECORD.to_json())
    path_of(run_directory).write_text(json.dumps({k: v for k, v in value.items() if k != key}))
    with pytest.raises(HostError, match="the journal cannot be read"):
        journal.read()


def test_an_unknown_part_is_an_error(journal: Journal, run_directory: Path) -> None:
    value = json.loads(RECORD.to_json())
    path_of(run_directory).write_text(json.dumps({**value, "more": 1}))
    with pytest.raises(HostError, match="the journal cannot be read"):
        journal.read()


def test_a_step_of_another_version_is_an_error(journal: Journal, run_directory: Path) -> None:
    value = json.loads(RECORD.to_json())
    value["entries"][0]["step"]["kind"] = "warp"
    path_of(run_directory).write_text(json.dumps(value))
    with pytest.raises(HostError, match="'warp'"):
        journal.read()


def test_a_directory_that_cannot_be_written_is_an_error_that_names_the_file(
    run_directory: Path,
) -> None:
    journal = Journal(run_directory / "absent" / "journal.json")
    with pytest.raises(HostError, match=r"cannot write .*journal\.json: No such file"):
        journal.begin(RECORD)


@contextmanager
def small_files_only() -> Iterator[None]:
    """write(2) beyond 512 bytes fails with EFBIG, as it would with ENOSPC on a full /run."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_fails_leaves_the_old_file(journal: Journal, run_directory: Path) -> None:
    journal.begin(replace(RECORD, entries=(), faults=(), guest="win10"))
    before = journal.read()
    with small_files_only(), pytest.raises(HostError, match=os.strerror(errno.EFBIG)):
        journal.begin(RECORD)
    assert journal.read() == before
    assert os.listdir(run_directory) == ["journal.json"]


def test_a_path_that_is_a_directory_is_an_error(run_directory: Path) -> None:
    path_of(run_directory).mkdir()
    with pytest.raises(HostError, match=os.strerror(errno.EISDIR)):
        Journal(path_of(run_directory)).read()


def test_a_reader_never_sees_half_a_file(journal: Journal) -> None:
    """Written again and again while another thread reads."""
    journal.begin(RECORD)
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            journal.update(lambda r, n=number: replace(r, since=float(n)))  # type: ignore[misc]
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        record = journal.read()
        assert record is not None
        assert record.entries == RECORD.entries
    writer.join()


def test_an_update_waits_for_the_one_under_way(journal: Journal) -> None:
    """A hook's release and the worker's step write at the same time: neither may be lost."""
    first, second, *_ = RECORD.entries
    journal.begin(replace(RECORD, entries=()))
    other = threading.Thread(target=journal.push, args=(second,))

    def slow(record: Record) -> Record:
        other.start()
        other.join(0.1)
        return replace(record, entries=(*record.entries, first))

    journal.update(slow)
    other.join()
    record = journal.read()
    assert record is not None
    assert record.entries == (first, second)


def test_replace_file_keeps_the_old_one_if_the_new_one_fails(run_directory: Path) -> None:
    path = run_directory / "file"
    replace_file(path, b"old", mode=0o600)
    with pytest.raises(TypeError):
        replace_file(path, "text", mode=0o644)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert os.listdir(run_directory) == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Upgrades


def written_before_the_wait(phase: Phase) -> str:
    """What a package without AwaitLibvirt left under a running guest."""
    entries = tuple(e for e in RECORD.entries if not isinstance(e.step, AwaitLibvirt))
    entries = tuple(replace(e, stage=n) for n, e in enumerate(entries))
    return replace(RECORD, phase=phase, entries=entries).to_json()


@pytest.mark.parametrize("phase", [Phase.PREPARED, Phase.GUEST])
def test_an_older_journal_waits_for_libvirt_before_its_devices_come_home(phase: Phase) -> None:
    record = Record.from_json(written_before_the_wait(phase))
    kinds = [type(entry.step) for entry in record.entries]
    assert kinds.count(AwaitLibvirt) == 1
    assert kinds.index(AwaitLibvirt) > max(i for i, kind in enumerate(kinds) if kind is Detach)
    assert Record.from_json(record.to_json()) == record


def test_a_return_under_way_is_not_made_to_wait_again() -> None:
    record = Record.from_json(written_before_the_wait(Phase.RETURN))
    assert not any(isinstance(entry.step, AwaitLibvirt) for entry in record.entries)
