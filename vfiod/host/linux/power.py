"""The host's sleep and reboot, through systemd, past the inhibitors that vfiod itself holds."""

from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.sleep_file import SleepFile
from vfiod.host.linux.units import LinuxUnits

# Waking up takes its time on real hardware, and more in emulation.
_AWAKE_SECONDS = 120.0


class LinuxPower:
    """Implements vfiod.host.door.Power."""

    def __init__(self, units: LinuxUnits, root: Path = Path("/")) -> None:
        self._units = units
        self._alarm = root / "sys/class/rtc/rtc0/wakealarm"
        self._sleep_file = SleepFile(root)

    def sleep(self, *, seconds: float) -> None:
        """The clock is set first (kernel: admin-guide/rtc.rst): without it nothing would wake."""
        try:
            self._alarm.write_text("0")
            self._alarm.write_text(f"+{round(seconds)}")
        except OSError as error:
            raise HostError(f"the host's clock cannot wake it: {error.strerror}") from error
        try:
            with self._sleep_file.lifted():
                self._units.start("systemd-suspend.service", seconds=_AWAKE_SECONDS)
        except OSError as error:
            raise HostError(f"sleep cannot be allowed again: {error.strerror}") from error

    def reboot(self) -> None:
        self._units.begin("reboot.target", mode="replace-irreversibly")
