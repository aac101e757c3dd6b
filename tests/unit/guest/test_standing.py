"""What a guest needs before it can be asked to shut down."""

import libvirt
import pytest

from vfiod.guest.standing import Standing, is_lost, standing

PAUSED = libvirt.VIR_DOMAIN_PAUSED


@pytest.mark.parametrize(
    ("state", "reason", "found"),
    [
        (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED, Standing.BUSY),
        (libvirt.VIR_DOMAIN_SHUTDOWN, 0, Standing.BUSY),
        (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED, Standing.OFF),
        (libvirt.VIR_DOMAIN_PMSUSPENDED, 0, Standing.ASLEEP),
        (libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_CRASHED_PANICKED, Standing.LOST),
        (PAUSED, libvirt.VIR_DOMAIN_PAUSED_CRASHED, Standing.LOST),
        (PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR, Standing.PAUSED),
        (PAUSED, 14, Standing.PAUSED),  # VIR_DOMAIN_PAUSED_API_ERROR, which libvirt 9.0 has not
        (PAUSED, libvirt.VIR_DOMAIN_PAUSED_SHUTTING_DOWN, Standing.BUSY),
        (PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION, Standing.BUSY),
    ],
)
def test_what_a_guest_is_at(state: int, reason: int, found: Standing) -> None:
    assert standing(state, reason) is found


@pytest.mark.parametrize(
    ("reason", "code", "lost"),
    [
        (libvirt.VIR_DOMAIN_PAUSED_UNKNOWN, libvirt.VIR_ERR_INTERNAL_ERROR, True),
        (libvirt.VIR_DOMAIN_PAUSED_UNKNOWN, libvirt.VIR_ERR_OPERATION_TIMEOUT, False),
        (libvirt.VIR_DOMAIN_PAUSED_IOERROR, libvirt.VIR_ERR_INTERNAL_ERROR, False),
        (libvirt.VIR_DOMAIN_PAUSED_USER, libvirt.VIR_ERR_INTERNAL_ERROR, False),
    ],
)
def test_who_never_goes_on(*, reason: int, code: int, lost: bool) -> None:
    assert is_lost(reason, code) == lost
