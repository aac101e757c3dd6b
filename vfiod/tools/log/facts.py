"""Stories as plain values, for programs. Pure."""

from typing import Any

from vfiod.tools.log.entry import Entry
from vfiod.tools.log.story import Story
from vfiod.tools.log.way import Step, Way


def of_story(story: Story) -> dict[str, Any]:
    """One start of a guest; times in seconds, its beginning as in ISO 8601."""
    return {
        "guest": story.guest,
        "transaction": story.transaction,
        "began": story.began.isoformat(),
        "outcome": story.outcome.value,
        "host_rebooted": story.rebooted,
        "guest_seconds": None if story.held is None else _round(story.held),
        "ways": [_way(way) for way in story.ways],
        "problems": list(story.problems),
        "remedy": story.remedy,
        "notes": list(story.notes),
    }


def of_entry(entry: Entry) -> dict[str, Any]:
    """One message as it came."""
    return {
        "time": entry.when.isoformat(),
        "kind": entry.kind.name.lower().replace("_", "-"),
        "guest": entry.guest,
        "transaction": entry.transaction,
        "step": entry.step,
        "device": entry.device,
        "direction": entry.direction.value if entry.direction else None,
        "seconds": entry.seconds,
        "message": entry.message,
        "explanation": entry.explanation,
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "direction": way.direction.value,
        "does": way.text,
        "seconds": _round(way.seconds),
        "complete": way.complete,
        "steps": [_step(step) for step in way.steps],
        "remarks": list(way.remarks),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.kind,
        "device": step.device,
        "does": step.text,
        "start": _round(step.start),
        "seconds": _round(step.seconds),
        "done": step.done,
    }


def _round(seconds: float) -> float:
    return round(seconds, 6)
