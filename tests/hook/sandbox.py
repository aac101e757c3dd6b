"""The hook in a world of its own: its fixed paths replaced, its programs watched."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "hooks" / "qemu"
NOBODY = 65534
DOMAIN = "<domain type='kvm'>\n  <name>win10</name>\n</domain>\n"

# Each call leaves a file with its arguments, NUL-terminated.
_DBUS_SEND = """#!/bin/sh
number=$(ls "{calls}" | wc -l)
printf '%s\\0' "$@" >"{calls}/$number"
cat "{top}/answer" >&2
echo 'a reply that must not reach stdout'
exit "$(cat "{top}/status")"
"""
_WATCHED = """#!/bin/sh
echo {name} "$@" >>"{top}/programs"
exec {real} "$@"
"""
_DENIED = """#!/bin/sh
echo {name} "$@" >>"{top}/programs"
exit 126
"""


@dataclass(frozen=True)
class Outcome:
    """What libvirt sees of one run."""

    status: int
    stdout: str
    stderr: str


class Sandbox:
    """One copy of the hook, run by `shell`, with a dbus-send that answers as told."""

    def __init__(self, top: Path, shell: str, source: str | None = None) -> None:
        self.top, self.shell = top, shell
        self.config, self.journal = top / "vfiod.yaml", top / "journal.json"
        self.vfiod, self.owner = top / "vfiod", top / "owner"
        self._bin, self._calls = top / "bin", top / "calls"
        for folder in (self._bin, self._calls, self.owner):
            folder.mkdir()
        self._write_programs()
        self.answer()
        self.hook = top / "50-vfiod"
        self.hook.write_text(self._moved(SOURCE.read_text() if source is None else source))

    def _moved(self, text: str) -> str:
        places = {
            "PATH=/usr/bin:/bin:/run/current-system/sw/bin": f"PATH={self._bin}",
            "vfiod=/usr/bin/vfiod": f"vfiod={self.vfiod}",
            "config=/etc/vfiod/vfiod.yaml": f"config={self.config}",
            "journal=/run/vfiod/journal.json": f"journal={self.journal}",
            "[ -O / ]": f"[ -O {self.owner} ]",
        }
        for old, new in places.items():
            assert text.count(old) == 1, f"{old!r} is not once in the hook"
            text = text.replace(old, new)
        return text

    def _write_programs(self) -> None:
        self._program(self.vfiod, "#!/bin/sh\n")
        fake = _DBUS_SEND.format(top=self.top, calls=self._calls)
        # It runs with the hook's PATH, where the others are watched.
        self._program(self._bin / "dbus-send", fake.replace("#!/bin/sh", "#!/bin/sh\nPATH=/bin", 1))
        # What libvirt's AppArmor profile lets no hook run, as with Ubuntu's coreutils.
        for name in ("grep", "cat"):
            self._program(self._bin / name, _DENIED.format(name=name, top=self.top))
        logger = _WATCHED.format(name="logger", top=self.top, real="/bin/true")
        self._program(self._bin / "logger", logger)

    @staticmethod
    def _program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def answer(self, text: str = "", *, status: int = 0) -> None:
        """What dbus-send says and returns from now on."""
        (self.top / "answer").write_text(text)
        (self.top / "status").write_text(str(status))

    def use_bus(self, address: str) -> None:
        """Let the real dbus-send speak, on the bus at this address."""
        real = f'#!/bin/sh\nDBUS_SYSTEM_BUS_ADDRESS={address} exec /usr/bin/dbus-send "$@"\n'
        self._program(self._bin / "dbus-send", real)

    def name_guest(self, name: str) -> None:
        """Put the guest into the configuration."""
        self.config.write_text(f'# the guests\nguests:\n  "{name}":\n    devices: []\n')

    def begin_handoff(self, guest: str = "win10") -> None:
        """Write the journal of a handoff."""
        self.journal.write_text(json.dumps({"guest": guest}, ensure_ascii=False))

    def command(self, guest: str, operation: str, extra: str = "-") -> list[str]:
        """The command libvirt would run."""
        end = "end" if operation in ("release", "stopped") else "begin"
        return [self.shell, str(self.hook), guest, operation, end, extra]

    def run(self, guest: str, operation: str, *, extra: str = "-", xml: str = DOMAIN) -> Outcome:
        """Run the hook as libvirt does, to the end of its output; nothing may be left of it."""
        environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "HOME": "/root"}
        process = subprocess.Popen(
            self.command(guest, operation, extra),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env=environment, cwd="/", start_new_session=True,
        )  # fmt: skip
        stdout, stderr = process.communicate(xml, timeout=20)
        assert not group_exists(process.pid), "the hook left a process behind"
        return Outcome(process.returncode, stdout, stderr)

    def calls(self) -> list[Sequence[str]]:
        """The arguments of every dbus-send so far."""
        files = sorted(self._calls.iterdir(), key=lambda path: int(path.name))
        return [path.read_bytes().decode().split("\0")[:-1] for path in files]

    def programs(self) -> list[str]:
        """The other programs that ran, each with its arguments."""
        log = self.top / "programs"
        return log.read_text().splitlines() if log.exists() else []


def group_exists(leader: int) -> bool:
    """Whether any process of this process group is left."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True
