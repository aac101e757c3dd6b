"""Taking setup's changes back: byte for byte, after any kill, and never over a person's edits."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.setuphost import Killer, SetupHost
from vfiod.errors import HostError
from vfiod.tools.setup.apply import Conflict, Remains, Setup
from vfiod.tools.setup.changes import FileChange, Plan, ToolChange
from vfiod.tools.setup.manifest import FileEntry
from vfiod.tools.setup.render import conflict_lines
from vfiod.tools.setup.store import Store

GRUB = "etc/default/grub"
DROP_IN = "etc/default/grub.d/50-vfiod.cfg"
CONF = "etc/modprobe.d/vfio.conf"
UPDATE = (("update-grub",),)


def setup_on(host: SetupHost) -> Setup:
    return Setup(host.run, host.told.append, host.root, host.state)


def change(path: str, before: bytes | None, after: bytes | None) -> FileChange:
    return FileChange(f"/{path}", before, after, ("why",), UPDATE)


def undo(host: SetupHost) -> Remains:
    return setup_on(host).undo()


@pytest.fixture
def host(run_directory: Path) -> SetupHost:
    host = SetupHost(run_directory, {GRUB: "a\n", CONF: "b\n", "etc/other": "c\n"})
    host.run(("update-grub",))
    return host


PLAN = Plan(
    changes=(
        change(DROP_IN, None, b"new\n"),
        change(GRUB, b"a\n", b"changed\n"),
        change(CONF, b"b\n", None),
    )
)


# Byte for byte


def test_undo_restores_everything(host: SetupHost) -> None:
    host.write(CONF, "b\n", mode=0o600)
    before = host.snapshot()
    setup_on(host).apply(PLAN)
    assert (host.root / GRUB).read_bytes() == b"changed\n"
    assert not (host.root / CONF).exists()
    assert not undo(host)
    assert host.snapshot() == before
    assert (host.root / "boot/grub/grub.cfg").read_bytes() == host.menu()
    assert not list(host.state.iterdir())


def test_undo_of_nothing_does_nothing(host: SetupHost) -> None:
    before = host.snapshot()
    assert not undo(host)
    assert not undo(host)
    assert host.snapshot() == before
    assert host.programs == [("update-grub",)]


def test_directories_that_were_made_go_and_others_stay(host: SetupHost) -> None:
    setup_on(host).apply(PLAN)
    host.write("etc/default/grub.d/mine.cfg", "mine")
    undo(host)
    assert [path.name for path in (host.root / "etc/default/grub.d").iterdir()] == ["mine.cfg"]


def test_undo_takes_two_runs_of_setup_back(host: SetupHost) -> None:
    before = host.snapshot()
    setup_on(host).apply(PLAN)
    setup_on(host).apply(Plan(changes=(change(GRUB, b"changed\n", b"again\n"),)))
    assert not undo(host)
    assert host.snapshot() == before


def test_what_a_tool_did_is_taken_back_by_it_newest_first(host: SetupHost) -> None:
    first = ToolChange(("grubby", "--args=a"), ("grubby", "--remove-args=a"), ())
    second = ToolChange(("grubby", "--args=b"), ("grubby", "--remove-args=b"), ())
    setup_on(host).apply(Plan(changes=(first, second)))
    host.programs.clear()
    undo(host)
    assert host.programs == [second.revert, first.revert]


CONTENTS = st.one_of(st.none(), st.binary(max_size=40))
MODES = st.sampled_from([0o644, 0o600, 0o440, 0o755])
NAMES = [GRUB, DROP_IN, CONF, "etc/a/b/c", "etc/modules"]


@settings(deadline=None, max_examples=80)
@given(
    files=st.dictionaries(st.sampled_from(NAMES), st.tuples(CONTENTS, MODES, CONTENTS, CONTENTS))
)
def test_any_files_come_back(
    files: Mapping[str, tuple[bytes | None, int, bytes | None, bytes | None]],
) -> None:
    """Two runs of setup over files of any contents, or none."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        host = SetupHost(Path(name))
        for path, (data, mode, _, _) in files.items():
            if data is not None:
                host.write(path, data, mode)
        before = host.snapshot()
        first = tuple(change(p, a, b) for p, (a, _, b, _) in files.items() if a != b)
        second = tuple(change(p, b, c) for p, (_, _, b, c) in files.items() if b != c)
        setup_on(host).apply(Plan(changes=first))
        setup_on(host).apply(Plan(changes=second))
        assert not undo(host)
        assert host.snapshot() == before
        assert not list(host.state.iterdir())


# A person's own edits


def edited(host: SetupHost, path: str, data: str) -> Remains:
    setup_on(host).apply(PLAN)
    host.write(path, data)
    return undo(host)


def test_a_later_edit_is_kept_and_shown(host: SetupHost) -> None:
    remains = edited(host, GRUB, "changed\nmine\n")
    (conflict,) = remains.conflicts
    assert (conflict.entry.path, conflict.ours, conflict.now) == (
        f"/{GRUB}",
        b"changed\n",
        b"changed\nmine\n",
    )
    assert (host.root / GRUB).read_bytes() == b"changed\nmine\n"
    assert (host.root / CONF).read_bytes() == b"b\n", "the others are restored all the same"
    assert Store(host.state).copy_of(conflict.entry).read_bytes() == b"a\n"


@pytest.mark.parametrize("before", [None, "digest"])
def test_what_its_owner_can_type_stays_one_word(before: str | None) -> None:
    path = "/etc/modprobe.d/my vfio.conf"
    entry = FileEntry(1, path, before, "other", None)
    told = "\n".join(conflict_lines(Conflict(entry, b"", b"a\n"), "/var/lib/x/01-my vfio.conf"))
    (command,) = re.findall(r"sudo (?:rm|cp) .*", told)
    assert shlex.split(command)[-1] == path


def test_a_conflict_is_over_when_the_person_puts_the_file_back(host: SetupHost) -> None:
    edited(host, GRUB, "mine\n")
    host.write(GRUB, "a\n")
    assert not undo(host)
    assert not list(host.state.iterdir())


def test_a_conflict_is_over_when_the_edit_is_taken_back(host: SetupHost) -> None:
    edited(host, GRUB, "mine\n")
    host.write(GRUB, "changed\n")
    assert not undo(host)
    assert (host.root / GRUB).read_bytes() == b"a\n"


def test_a_new_file_that_was_edited_stays(host: SetupHost) -> None:
    (conflict,) = edited(host, DROP_IN, "mine\n").conflicts
    assert conflict.entry.before is None
    (host.root / DROP_IN).unlink()
    assert not undo(host)
    assert not (host.root / DROP_IN).parent.exists()


def test_a_removed_file_that_somebody_made_anew_stays(host: SetupHost) -> None:
    (conflict,) = edited(host, CONF, "mine\n").conflicts
    assert (conflict.ours, conflict.now) == (None, b"mine\n")


def test_an_edit_between_two_runs_of_setup_is_kept(host: SetupHost) -> None:
    setup_on(host).apply(PLAN)
    host.write(GRUB, "changed\nmine\n")
    setup_on(host).apply(Plan(changes=(change(GRUB, b"changed\nmine\n", b"again\n"),)))
    (conflict,) = undo(host).conflicts
    assert (host.root / GRUB).read_bytes() == b"changed\nmine\n"
    assert conflict.ours == b"changed\n"


def test_back_to_the_first_state_by_hand_ends_all_runs(host: SetupHost) -> None:
    setup_on(host).apply(PLAN)
    setup_on(host).apply(Plan(changes=(change(GRUB, b"changed\n", b"again\n"),)))
    host.write(GRUB, "a\n")
    assert not undo(host)
    assert (host.root / GRUB).read_bytes() == b"a\n"


# What fails


def test_a_program_that_fails_is_named_and_run_again_next_time(host: SetupHost) -> None:
    before = host.snapshot()
    setup_on(host).apply(PLAN)
    host.failing = {"update-grub"}
    (failure,) = undo(host).failures
    assert "update-grub failed" in failure.message
    assert host.snapshot() == before
    host.failing = set()
    assert not undo(host)
    assert (host.root / "boot/grub/grub.cfg").read_bytes() == host.menu()
    assert not list(host.state.iterdir())


def test_one_tool_that_fails_does_not_keep_files_from_coming_back(host: SetupHost) -> None:
    before = host.snapshot()
    tool = ToolChange(("grubby", "--args=a"), ("grubby-", "--remove-args=a"), ())
    setup_on(host).apply(Plan(changes=(*PLAN.changes, tool)))
    host.failing = {"grubby-"}
    assert len(undo(host).failures) == 1
    assert host.snapshot() == before
    host.failing = set()
    assert not undo(host)
    assert not list(host.state.iterdir())


def test_a_copy_that_was_damaged_is_not_put_back(host: SetupHost) -> None:
    setup_on(host).apply(PLAN)
    (copy,) = (host.state / "setup").glob("*-grub.before")
    copy.write_text("damaged")
    (failure,) = undo(host).failures
    assert str(copy) in failure.message
    assert (host.root / GRUB).read_bytes() == b"changed\n"


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 9, "entries": []}', '{"version": 1}'])
def test_a_manifest_that_is_not_understood_stops_everything(host: SetupHost, text: str) -> None:
    setup_on(host).apply(PLAN)
    (host.state / "setup.json").write_text(text)
    before = host.snapshot()
    with pytest.raises(HostError, match="cannot be understood") as caught:
        undo(host)
    assert str(host.state / "setup") in caught.value.hint
    with pytest.raises(HostError, match="cannot be understood"):
        setup_on(host).apply(PLAN)
    assert host.snapshot() == before


# Killed


@pytest.fixture(scope="module")
def killer() -> Killer:
    return Killer()


def killed_everywhere(
    killer: Killer,
    counts: dict[str, int],
    prepare: Callable[[Path], SetupHost],
    work: Callable[[SetupHost], object],
    check: Callable[[SetupHost], None],
) -> None:
    """Do ``work`` on fresh hosts, killed before its first, second … change, until it survives."""
    for at in range(1000):
        with TemporaryDirectory(dir="/dev/shm") as name:
            host = prepare(Path(name))
            survived = killer.survives(lambda host=host: work(host), at=at)  # type: ignore[misc]
            check(host)
        counts["kills of setup"] = counts.get("kills of setup", 0) + 1
        if survived:
            assert at > 10, "too few places to be killed at: the audit events were not seen"
            return
    pytest.fail("it never survived")


def fresh(root: Path) -> SetupHost:
    host = SetupHost(root, {GRUB: "a\n", CONF: "b\n"})
    host.run(("update-grub",))
    return host


def applied(root: Path) -> SetupHost:
    host = fresh(root)
    setup_on(host).apply(PLAN)
    return host


def check_undone(host: SetupHost) -> None:
    """Undo after a kill, twice: all is as it was, and the boot menu says so too."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        expected = fresh(Path(name)).snapshot()
    assert not undo(host)
    assert host.snapshot() == expected
    assert (host.root / "boot/grub/grub.cfg").read_bytes() == host.menu()
    assert not undo(host)
    assert not list(host.state.iterdir())


def check_applied(host: SetupHost) -> None:
    """Setup run again after a kill: it finishes, and undo still restores all."""
    fresh_changes = tuple(c for c in PLAN.changes if lacks(host, c))
    setup_on(host).apply(Plan(changes=fresh_changes))
    with TemporaryDirectory(dir="/dev/shm") as name:
        assert host.snapshot() == applied(Path(name)).snapshot()
    assert (host.root / "boot/grub/grub.cfg").read_bytes() == host.menu()
    check_undone(host)


def lacks(host: SetupHost, change: FileChange | ToolChange) -> bool:
    assert isinstance(change, FileChange)
    place = host.root / change.path.lstrip("/")
    return (place.read_bytes() if place.exists() else None) != change.after


def test_undo_after_setup_was_killed_anywhere(killer: Killer, counts: dict[str, int]) -> None:
    killed_everywhere(killer, counts, fresh, lambda h: setup_on(h).apply(PLAN), check_undone)


def test_undo_after_undo_was_killed_anywhere(killer: Killer, counts: dict[str, int]) -> None:
    killed_everywhere(killer, counts, applied, lambda h: setup_on(h).undo(), check_undone)


def test_setup_after_setup_was_killed_anywhere(killer: Killer, counts: dict[str, int]) -> None:
    killed_everywhere(killer, counts, fresh, lambda h: setup_on(h).apply(PLAN), check_applied)


def test_setup_after_undo_was_killed_anywhere(killer: Killer, counts: dict[str, int]) -> None:
    killed_everywhere(killer, counts, applied, lambda h: setup_on(h).undo(), check_applied)
