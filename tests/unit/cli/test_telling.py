"""The page of the last start, opened for whoever asks for it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vfiod.cli import telling
from vfiod.cli.verbs import log
from vfiod.errors import HostError

OWN = {"LANG": "zh_CN.UTF-8", "PATH": "/home/alice/.nix-profile/bin:/usr/bin:/bin"}
Opener = Callable[[str], Path]


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Makes an xdg-open of a line of sh; the file that it may write to."""
    monkeypatch.setattr(log, "put_page", lambda *_args, **_more: None)
    for name, value in {**OWN, "XDG_RUNTIME_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LC_ALL", raising=False)

    def make(line: str) -> Path:
        program, told = tmp_path / "xdg-open", tmp_path / "told"
        program.write_text(f"#!/bin/sh\n{line.format(told)}\n")
        program.chmod(0o755)
        monkeypatch.setattr(telling, "find", lambda _name: str(program))
        return told

    return make


def test_the_browser_has_the_language_and_the_path_of_its_user(opener: Opener) -> None:
    told = opener('echo "$LANG $LC_ALL $PATH $1" > {}')
    telling._open_page(None)  # type: ignore[arg-type]
    page = told.parent / "vfiod-last.html"
    assert told.read_text() == f"{OWN['LANG']}  {OWN['PATH']} {page}\n"


def test_a_browser_that_stays_is_no_fault(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    told = opener("read x < {}")
    os.mkfifo(told)
    monkeypatch.setattr(telling, "_OPEN_SECONDS", 0.1)
    telling._open_page(None)  # type: ignore[arg-type]


def test_without_xdg_open_it_is_told_where_the_page_is(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener("")
    monkeypatch.setattr(telling, "find", lambda _name: None)
    with pytest.raises(HostError) as caught:
        telling._open_page(None)  # type: ignore[arg-type]
    assert "vfiod-last.html" in caught.value.hint
