"""vfiod log: what the verb adds to the stories."""

import json
from pathlib import Path

import pytest

from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES
from vfiod.cli import main as cli
from vfiod.cli.verbs.log import put_page, tell_live, write_page
from vfiod.errors import HostError
from vfiod.tools.log import format
from vfiod.tools.log.story import find_stories


def test_a_page_is_written_once_and_never_over_another(run_directory: Path) -> None:
    stories = find_stories(entries(SCENES["refused"](run_directory)), boot=BOOT)
    path = run_directory / "page.html"
    put_page(path, stories, force=False)
    assert path.read_bytes().startswith(b"<!DOCTYPE html>")
    path.write_text("mine")
    with pytest.raises(HostError, match="exists already") as caught:
        put_page(path, stories, force=False)
    assert "--force" in caught.value.hint
    assert path.read_text() == "mine"
    put_page(path, stories, force=True)
    assert path.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_hyphen_is_standard_output(
    run_directory: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run_directory)
    stories = find_stories(entries(SCENES["refused"](run_directory)), boot=BOOT)
    put_page(Path("-"), stories, force=False)
    assert capfdbinary.readouterr().out.startswith(b"<!DOCTYPE html>")
    assert not Path("-").exists()


def test_a_link_is_not_followed(run_directory: Path) -> None:
    link, target = run_directory / "link.html", run_directory / "target"
    link.symlink_to(target)
    with pytest.raises(HostError, match="exists already"):
        write_page(link, b"page", force=False)
    assert not target.exists()


def test_a_place_that_cannot_be_written_is_named(run_directory: Path) -> None:
    with pytest.raises(HostError, match="No such file or directory"):
        write_page(run_directory / "absent" / "page.html", b"page", force=False)


@pytest.mark.parametrize(
    "wrong",
    [["--last", "--follow"], ["--since", "now", "--last"], ["--html", "x", "--follow"],
     ["--html", "x", "--json"], ["--force"]],
)  # fmt: skip
def test_what_does_not_go_together_is_wrong_usage(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["log", *wrong])
    assert caught.value.code == 2


def test_following_one_guest_leaves_out_the_other(
    run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = entries(SCENES["interleaved"](run_directory))
    tell_live(told, "other", as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["guest"] for line in lines} == {"other"}
    assert lines[0]["kind"] == "refused"
    assert len(lines) == sum(entry.guest == "other" for entry in told)


def test_following_in_words(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_live(entries(SCENES["stuck"](run_directory)), None, as_json=False)
    text = capsys.readouterr().out
    assert "handing 0000:01:00.0" in text
    assert "systemctl reboot" in text


def test_no_story_at_all_is_said_plainly() -> None:
    assert format.nothing(None, None).startswith("No start of a guest is in the journal.")
    assert "sudo vfiod plan win10" in format.nothing("win10", "yesterday", ["win10"])
    assert "It does not name win11. It names: win10" in format.nothing("win11", None, ["win10"])
    assert "since yesterday" in format.nothing("win10", "yesterday")
