"""What the next login tells of a start, and what it keeps to itself."""

from pathlib import Path

import pytest

from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES
from vfiod.tools.log.notice import notice_of
from vfiod.tools.log.story import Outcome, Story, find_stories


def stories(scene: str, directory: Path) -> list[Story]:
    return find_stories(entries(SCENES[scene](directory)), boot=BOOT)


def all_stories(directory: Path) -> list[tuple[str, list[Story]]]:
    found = []
    for scene in SCENES:
        (directory / scene).mkdir()
        found.append((scene, stories(scene, directory / scene)))
    return found


def test_each_start_that_took_the_screen_is_told_once_it_has_ended(run_directory: Path) -> None:
    for scene, found in all_stories(run_directory):
        taken = [story for story in found if story.outcome is not Outcome.REFUSED]
        notice = notice_of(found, told="")
        ended = taken and taken[-1].outcome in (Outcome.RETURNED, Outcome.FAILED, Outcome.STUCK)
        if ended and taken[-1].transaction:
            assert notice is not None, scene
            assert notice.urgent == (
                taken[-1].outcome is not Outcome.RETURNED or bool(taken[-1].problems)
            ), scene
            assert notice_of(found, told=notice.transaction) is None, scene
        else:
            assert notice is None, scene


def test_what_is_stuck_says_what(run_directory: Path) -> None:
    notice = notice_of(stories("stuck", run_directory), told="")
    assert notice is not None
    assert notice.urgent
    assert "STUCK" in notice.summary
    assert "unbind 0000:01:00.1 has not ended" in notice.body
    assert "goes on by itself" in notice.body


@pytest.mark.parametrize("scene", ["refused"])
def test_a_refusal_was_seen_by_whoever_asked(run_directory: Path, scene: str) -> None:
    assert notice_of(stories(scene, run_directory), told="") is None


def test_nothing_is_no_news() -> None:
    assert notice_of([], told="") is None
