"""Stories told from what the real manager sends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES, Records
from vfiod.events import Kind
from vfiod.model import Direction
from vfiod.tools.log import facts, format
from vfiod.tools.log.entry import Entry, parse
from vfiod.tools.log.story import Outcome, Story, find_stories

OUTCOMES = {
    "returned": [Outcome.RETURNED],
    "refused": [Outcome.REFUSED],
    "unsaved": [Outcome.REFUSED],
    "wrong_configuration": [Outcome.REFUSED],
    "failed": [Outcome.FAILED],
    "stuck": [Outcome.STUCK],
    "retried": [Outcome.RETURNED],
    "late": [Outcome.RETURNED],
    "interleaved": [Outcome.RETURNED, Outcome.REFUSED, Outcome.GUEST],
    "limbo": [Outcome.FAILED],
    "adopted": [Outcome.RETURNED],
    "killed": [Outcome.FAILED],
}


@pytest.fixture
def told(run_directory: Path) -> Callable[[str], list[Story]]:
    """The stories of a scene."""
    return lambda scene: find_stories(entries(SCENES[scene](run_directory)), boot=BOOT)


def told_of(records: Records) -> Story:
    (story,) = find_stories(entries(records), boot=BOOT)
    return story


@pytest.mark.parametrize("scene", SCENES)
def test_outcome(told: Callable[[str], list[Story]], scene: str) -> None:
    assert [story.outcome for story in told(scene)] == OUTCOMES[scene]


@pytest.mark.parametrize("scene", SCENES)
def test_steps_of_one_worker_never_overlap(told: Callable[[str], list[Story]], scene: str) -> None:
    for story in told(scene):
        for way in story.ways:
            for step, following in zip(way.steps, way.steps[1:], strict=False):
                assert step.end <= following.start + 1e-6
            assert all(0 <= step.start <= step.end <= way.seconds + 1e-6 for step in way.steps)


def test_a_return_is_told_from_handing_over_to_the_login_screen(
    told: Callable[[str], list[Story]],
) -> None:
    (story,) = told("returned")
    there, back = story.ways
    assert (there.direction, back.direction) == (Direction.HANDOFF, Direction.RETURN)
    assert there.complete
    assert back.complete
    assert there.steps[0].text == "block sleep and the power key"
    assert back.steps[-1].text == "allow sleep and the power key again"
    assert there.seconds == pytest.approx(14.59)
    assert story.held == pytest.approx(3723, abs=1)
    assert there.remarks[0] == "the work of alice (gnome-shell, pipewire) ends"
    assert there.remarks[2].startswith("SIGTERM sent: stubborn")
    assert (story.problems, story.remedy) == ((), "")
    assert story.began == datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def test_a_refusal_has_its_reasons_and_the_catalogs_remedy(
    told: Callable[[str], list[Story]],
) -> None:
    (story,) = told("refused")
    assert story.ways == ()
    assert "the guest needs 4.0 GiB of memory" in story.problems[0]
    assert story.remedy.startswith("The guest was not started because")
    assert "vfiod plan 'win10'" in story.remedy


def test_a_failed_step_tells_its_reason_and_time(told: Callable[[str], list[Story]]) -> None:
    (story,) = told("failed")
    there, undone = story.ways
    failed = there.steps[-1]
    assert not failed.done
    assert "stubborn (pid 504)" in failed.text
    assert failed.seconds == pytest.approx(15.11)
    assert not there.complete
    assert undone.complete
    assert undone.text == "putting back what was done"
    assert undone.steps[-1].done
    assert story.held is None
    assert "start it again" in story.remedy.replace("\n", " ")


def test_what_is_stuck_names_the_device_and_the_remedy(told: Callable[[str], list[Story]]) -> None:
    (story,) = told("stuck")
    (failed,) = (step for step in story.ways[-1].steps if not step.done)
    assert (failed.device, failed.kind) == ("0000:01:00.1", "detach")
    assert "could not give 0000:01:00.1 back" in story.problems[-1]
    assert "sudo vfiod return" in story.problems[-1]
    assert "vfiod status" in story.remedy
    assert not story.rebooted


def test_what_was_stuck_and_set_right_has_no_remedy_left(
    told: Callable[[str], list[Story]],
) -> None:
    (story,) = told("retried")
    assert len(story.ways) == 3
    assert [way.complete for way in story.ways] == [True, False, True]
    assert len(story.problems) == 1
    assert story.remedy == ""


def test_guests_are_told_apart(run_directory: Path) -> None:
    records = SCENES["interleaved"](run_directory)
    (win10,) = find_stories(entries(records), boot=BOOT, guest="win10")
    refused, other = find_stories(entries(records), boot=BOOT, guest="other")
    assert win10.outcome is Outcome.RETURNED
    assert "end win10 first" in refused.problems[0]
    assert other.transaction != win10.transaction
    assert find_stories(entries(records), boot=BOOT, guest="none") == []


def test_entries_of_two_transactions_in_turn_stay_apart(run_directory: Path) -> None:
    """Two recordings shuffled into each other, as no single worker would write them."""
    first = SCENES["returned"](run_directory)
    second = [
        {key: value.replace("win10", "other") for key, value in record.items()}
        | {"VFIOD_TRANSACTION": "f" * 32}
        for record in SCENES["failed"](run_directory)
    ]
    mixed: Records = []
    for number in range(max(len(first), len(second))):
        mixed += first[number : number + 1] + second[number : number + 1]
    stories = find_stories(entries(mixed), boot=BOOT)
    assert stories == [told_of(first), told_of(second)]


def test_a_guest_that_never_started_had_nothing(told: Callable[[str], list[Story]]) -> None:
    (story,) = told("limbo")
    assert story.held is None
    assert story.problems[0].startswith("win10 was prepared but never started")
    assert "/var/log/libvirt/qemu/win10.log" in story.remedy


def test_a_restart_of_vfiod_is_told_with_the_start_it_fell_into(
    told: Callable[[str], list[Story]],
) -> None:
    (story,) = told("adopted")
    assert story.notes[0].startswith("win10 goes on running")


def test_what_a_reboot_ended_is_told_as_that(run_directory: Path) -> None:
    records = SCENES["stuck"](run_directory)
    (story,) = find_stories(entries(records), boot="c" * 32)
    assert story.rebooted
    assert format.head(story).endswith(", until the host was rebooted")
    (over,) = find_stories(entries(SCENES["returned"](run_directory)), boot="c" * 32)
    assert not over.rebooted


def test_what_is_under_way_is_told_so_far(run_directory: Path) -> None:
    records = SCENES["returned"](run_directory)
    story = told_of(records[:5])
    assert story.outcome is Outcome.HANDOFF
    assert format.took(story, story.ways[0]).endswith(", so far")


def test_a_beginning_that_the_journal_has_forgotten_leaves_the_rest(run_directory: Path) -> None:
    records = SCENES["returned"](run_directory)
    story = told_of(records[10:])
    assert story.outcome is Outcome.RETURNED
    assert story.ways[0].text == "handing devices over"
    assert len(story.ways) == 2


def test_an_internal_error_is_seen_without_a_guest() -> None:
    message = "internal error, please report it: KeyError('x')"
    entry = Entry(Kind.STEP_FAILED, datetime.now(UTC), BOOT, message, explanation="why")
    (story,) = find_stories([entry], boot=BOOT)
    assert (story.outcome, story.problems, story.remedy) == (Outcome.FAILED, (message,), "why")


def test_the_state_of_the_hook_is_nobodys_story() -> None:
    entry = Entry(Kind.HOOK, datetime.now(UTC), BOOT, "the hook is installed")
    assert find_stories([entry], boot=BOOT) == []


def test_what_was_stuck_before_a_restart_belongs_to_the_same_start(run_directory: Path) -> None:
    records = SCENES["stuck"](run_directory)
    again = replace(entries(records)[-1], transaction="", message="still stuck")
    (story,) = find_stories([*entries(records), again], boot=BOOT)
    assert story.problems[-1] == "still stuck"


def test_a_remedy_is_a_step_of_the_return(run_directory: Path) -> None:
    told = entries(SCENES["stuck"](run_directory))
    remedy = replace(told[-3], kind=Kind.REMEDY, message="reset it (0.090 s)", step="recovery")
    (story,) = find_stories([*told[:-3], remedy, told[-1]], boot=BOOT)
    last = story.ways[-1].steps[-1]
    assert (last.text, last.kind, last.done) == ("reset it", "recovery", True)


def test_steps_side_by_side_are_told_by_their_beginning(run_directory: Path) -> None:
    told = entries(SCENES["returned"](run_directory))
    longest = max(told[1:15], key=lambda entry: entry.seconds or 0)
    late = [entry for entry in told if entry is not longest]
    late.insert(16, longest)
    assert find_stories(late, boot=BOOT)[0].ways == find_stories(told, boot=BOOT)[0].ways


def test_facts_are_plain(told: Callable[[str], list[Story]]) -> None:
    (story,) = told("failed")
    plain = facts.of_story(story)
    assert plain["outcome"] == "failed"
    assert plain["began"] == "2026-11-24T18:00:00+00:00"
    step = plain["ways"][0]["steps"][-1]
    assert (step["step"], step["done"], step["start"]) == ("release-holders", False, 2.88)


# Entries


def test_an_entry_has_the_time_of_sending_not_of_arrival(run_directory: Path) -> None:
    record = SCENES["refused"](run_directory)[0]
    entry = parse(record)
    assert entry is not None
    assert entry.when == datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    late = parse({k: v for k, v in record.items() if not k.startswith("_SOURCE")})
    assert late is not None
    assert late.when > entry.when


def test_no_name_reaches_the_terminal_with_control_characters() -> None:
    entry = parse(
        {
            "MESSAGE_ID": Kind.REMARK.value,
            "MESSAGE": "SIGTERM sent: \x1b]0;owned\x07 \u202egnp.exe\rline\nmore",
            "VFIOD_GUEST": b"\xff\x1b[2J",
            "VFIOD_BEGAN_USEC": "-5; rm",
            "VFIOD_DURATION_USEC": ["12", "13"],
            "VFIOD_DIRECTION": "sideways",
        }
    )
    assert entry is not None
    assert entry.message == r"SIGTERM sent: \x1b]0;owned\x07 \u202egnp.exe\rline" + "\nmore"
    assert entry.guest == r"\xff\x1b[2J"
    assert (entry.began, entry.seconds, entry.direction) == (None, 12e-6, None)


def test_a_message_of_another_program_or_version_is_passed_over() -> None:
    assert parse({"MESSAGE": "hello"}) is None
    assert parse({"MESSAGE_ID": "0" * 32, "MESSAGE": "hello"}) is None


def test_the_header_of_the_catalog_is_not_for_people(run_directory: Path) -> None:
    (entry,) = entries(SCENES["refused"](run_directory))
    assert "Subject:" not in entry.explanation
    assert "Documentation:" not in entry.explanation


# Words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "0.0 s"), (59.2, "59.2 s"), (59.97, "1 min 0 s"), (3723, "1 h 2 min"),
     (200000, "2 d 7 h")],
)  # fmt: skip
def test_how_long_a_guest_had_the_devices(value: float, text: str) -> None:
    assert format.held(value) == text


def test_paragraphs_flow_and_commands_stand_alone() -> None:
    assert format.paragraphs("one\ntwo\n    vfiod status\n    vfiod return\n\nthree") == [
        ("one two", False), ("vfiod status", True), ("vfiod return", True), ("three", False),
    ]  # fmt: skip
    assert format.paragraphs("") == []
