"""What is done as a user: the unit that systemd makes of it, and the words when it fails."""

from typing import Any

import pytest

from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux.process import Programs
from vfiod.host.linux.users import LinuxUsers


class Asked(Programs):
    """Notes what is to be run."""

    def __init__(self, error: HostError | None = None) -> None:
        super().__init__()
        self.argv: list[list[str]] = []
        self.seconds: list[float] = []
        self._error = error

    def run(self, argv: object, *, seconds: float, **_wanted: Any) -> str:
        assert isinstance(argv, list)
        self.argv.append(argv)
        self.seconds.append(seconds)
        if self._error:
            raise self._error
        return ""


def test_what_is_open_is_written_down_by_its_user() -> None:
    asked = Asked()
    LinuxUsers(asked).remember(1000, "ask", seconds=20)
    (argv,) = asked.argv
    options, command = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    assert command == ["/usr/bin/vfiod", "reopen", "--write", "ask"]
    assert {"--uid=1000", "--wait", "--collect", "--property=RuntimeMaxSec=20",
            "--property=NoNewPrivileges=yes", "--property=UMask=0077",
            "--setenv=XDG_RUNTIME_DIR=/run/user/1000"} <= set(options)  # fmt: skip
    assert not any(option.startswith(("--pipe", "--user", "--pty")) for option in options)


def test_more_time_than_systemd_needs_to_give_it_up() -> None:
    asked = Asked()
    LinuxUsers(asked).forget(1000, seconds=20)
    assert asked.seconds[0] > 20 + 4 * 1


def test_each_has_a_unit_of_its_own() -> None:
    asked = Asked()
    users = LinuxUsers(asked)
    users.remember(1000, "ask", seconds=20)
    users.remember(1000, "ask", seconds=20)
    names = [next(w for w in argv if w.startswith("--unit=")) for argv in asked.argv]
    assert len(set(names)) == 2


@pytest.mark.parametrize(("verb", "word"), [("stop", "stop"), ("restart", "try-restart")])
def test_units_are_the_user_s_own_manager_s(verb: str, word: str) -> None:
    asked = Asked()
    getattr(LinuxUsers(asked), verb)(1000, ["b.service", "a.service"], seconds=20)
    (argv,) = asked.argv
    assert argv[-6:] == ["systemctl", "--user", word, "--", "a.service", "b.service"]
    assert "--uid=1000" in argv
    # What has ended with the session is not loaded any more: that is no failure.
    assert "--property=SuccessExitStatus=5" in argv


def test_without_units_nothing_is_run() -> None:
    asked = Asked()
    LinuxUsers(asked).stop(1000, [], seconds=20)
    assert asked.argv == []


def test_what_fails_is_told_in_words_and_where_to_look() -> None:
    users = LinuxUsers(Asked(HostError("systemd-run failed: exit status 1")))
    with pytest.raises(HostError, match="was not written down") as caught:
        users.remember(1000, "ask", seconds=20)
    assert caught.value.hint.startswith("see: sudo journalctl -b -u vfiod-remember-1000-1-")


def test_a_systemd_that_hangs_makes_nothing_stuck() -> None:
    """It would be taken for a device that the kernel is busy with."""
    users = LinuxUsers(Asked(KernelStuck("systemd-run did not end", pids=(7,))))
    with pytest.raises(HostError) as caught:
        users.remember(1000, "ask", seconds=20)
    assert type(caught.value) is HostError
