"""The reader on real journal files, which systemd-journal-remote makes from recordings."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.record import BOOT, entries, export
from tests.fakes.scenes import SCENES, Records
from vfiod.errors import HostError, VfiodError
from vfiod.events import Kind
from vfiod.tools.log.reader import HistoryReader, parse_time, require_readable
from vfiod.tools.log.story import Outcome, find_stories

MAKER = "/lib/systemd/systemd-journal-remote"
NOBODY = 65534


def write_journal(folder: Path, records: Records, name: str = "system") -> Path:
    """A journal file of these entries."""
    file = folder / f"{name}.journal"
    command = [MAKER, "--output", str(file), "-"]
    subprocess.run(command, input=export(records), check=True, capture_output=True)
    return file


@pytest.fixture
def records(run_directory: Path) -> Records:
    return SCENES["stuck"](run_directory)


def test_what_was_sent_is_read(tmp_path: Path, records: Records) -> None:
    write_journal(tmp_path, records)
    (read,) = find_stories(HistoryReader(tmp_path).entries(), boot=BOOT)
    (sent,) = find_stories(entries(records), boot=BOOT)
    assert read.outcome is Outcome.STUCK
    assert read.ways == sent.ways
    assert read.began == sent.began


def test_what_another_user_forged_is_not(tmp_path: Path, records: Records) -> None:
    forged = [record | {"_UID": "1000"} for record in records]
    other = [record | {"SYSLOG_IDENTIFIER": "other"} for record in records]
    write_journal(tmp_path, forged + other)
    assert list(HistoryReader(tmp_path).entries()) == []


def test_since_leaves_out_what_was_before(tmp_path: Path, records: Records) -> None:
    write_journal(tmp_path, records)
    every = list(HistoryReader(tmp_path).entries())
    last = every[-1].when.timestamp()
    some = list(HistoryReader(tmp_path).entries(last - 1))
    assert 0 < len(some) < len(every)
    assert some[-1] == every[-1]


def test_an_empty_journal_has_no_story(tmp_path: Path) -> None:
    assert list(HistoryReader(tmp_path).entries()) == []


@pytest.fixture
def deadline() -> Iterator[None]:
    """What waits for an entry that never comes is ended (alarm(2))."""

    def give_up(*_: object) -> None:
        raise TimeoutError("no entry came")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("deadline")
def test_following_begins_with_what_comes_next(tmp_path: Path, records: Records) -> None:
    write_journal(tmp_path, records[:-1], "first")
    following = HistoryReader(tmp_path).follow()
    write_journal(tmp_path, records[-1:], "second")
    assert next(following).kind is Kind.STUCK


@pytest.mark.usefixtures("deadline")
def test_following_an_empty_journal_begins_with_the_first(tmp_path: Path, records: Records) -> None:
    following = HistoryReader(tmp_path).follow()
    write_journal(tmp_path, records[:1])
    assert next(following).kind is Kind.HANDOFF_BEGUN


# Who may read


def refusal(root: Path) -> str:
    """What a user without rights is told about the journal below this root."""
    code = (
        "import sys; from pathlib import Path; from vfiod.errors import VfiodError\n"
        "from vfiod.tools.log.reader import require_readable\n"
        "try: require_readable(Path(sys.argv[1]))\n"
        "except VfiodError as error: print(type(error).__name__, error)"
    )
    root.chmod(0o755)
    other: dict[str, Any] = (
        {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        cwd=Path(__file__).parents[4], capture_output=True, text=True, check=True, **other,
    )  # fmt: skip
    return str(done.stdout)


def journal_of(root: Path, *, mode: int) -> None:
    file = root / "var/log/journal/0123/system.journal"
    file.parent.mkdir(parents=True)
    file.touch()
    file.chmod(mode)


def test_a_user_who_may_not_read_is_told_how(run_directory: Path) -> None:
    journal_of(run_directory, mode=0o200)
    told = refusal(run_directory)
    assert told.startswith("NotAuthorized you may not read the system journal")
    assert "sudo vfiod log" in told
    assert "usermod -aG systemd-journal $USER" in told


def test_a_user_who_may_read_is_told_nothing(run_directory: Path) -> None:
    journal_of(run_directory, mode=0o644)
    assert refusal(run_directory) == ""


def test_a_host_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="keeps no system journal"):
        require_readable(tmp_path)


# Times


def test_times_are_read_as_journalctl_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert parse_time("2026-11-24 18:00:00") == 1_795_543_200
    assert parse_time("@1795543200") == 1_795_543_200
    assert parse_time("2 hours ago") == pytest.approx(time.time() - 7200, abs=60)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert parse_time("2026-11-24 18:00:00") == 1_795_543_200 - 8 * 3600


@pytest.mark.parametrize("text", ["", "soon", "--help", "2026-13-01"])
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(VfiodError) as caught:
        parse_time(text)
    assert "is not a time" in caught.value.message
    assert "2 hours ago" in caught.value.hint
