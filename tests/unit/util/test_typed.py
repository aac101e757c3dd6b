"""What virsh is asked can be typed, whatever the guest is called."""

import shlex

from vfiod.util.typed import virsh, without_screen


def test_a_name_with_a_blank_stays_one_word() -> None:
    words = shlex.split(virsh("edit", "my win'10"))
    assert words == ["virsh", "--connect", "qemu:///system", "edit", "my win'10"]
    words = shlex.split(without_screen("my win'10"))
    assert words[:5] == ["sudo", "virt-xml", "--connect", "qemu:///system", "my win'10"]
