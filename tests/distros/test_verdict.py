"""What fails make distros and what is only told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.distros import __main__ as distros
from tests.distros import chroot


def outcome(
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
    unbuilt: Sequence[str] = (),
    failing: Sequence[str] = (),
) -> int:
    """The exit status if these suites cannot be installed, and vfiod's tests fail on those."""

    def built(suite: str, _packages: Sequence[str]) -> Path:
        if suite in unbuilt:
            raise chroot.ChrootError(f"mmdebstrap {suite} failed")
        return Path(suite)

    monkeypatch.setattr(chroot, "built", built)
    monkeypatch.setattr(chroot, "run", lambda root, _command: int(str(root) in failing))
    return distros.main(["--packages", "python3", *options])


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch) == 0


@pytest.mark.parametrize("suite", chroot.SUITES)
def test_a_test_that_fails_is_ours_wherever_it_does(
    monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    assert outcome(monkeypatch, failing=[suite]) == 1


def test_a_release_that_cannot_be_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch, unbuilt=["trixie"]) == 1


def test_that_sid_cannot_be_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(monkeypatch, unbuilt=["sid"]) == 0
    assert "WARNING: nothing was tested on sid" in capsys.readouterr().err


def test_what_this_machine_runs_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distros, "own_suite", lambda: "trixie")
    assert outcome(monkeypatch, "--others", failing=["trixie"]) == 0
    assert outcome(monkeypatch, "--others", failing=["bookworm"]) == 1
    assert outcome(monkeypatch, failing=["trixie"]) == 1
