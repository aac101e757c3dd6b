"""Where everything is that vfiod reads, writes and starts: every path stands here, once.

``make install`` rewrites this file, and no other module, for another prefix.
"""

from pathlib import Path

PROGRAM = "/usr/bin/vfiod"
CONFIG = Path("/etc/vfiod/vfiod.yaml")
JOURNAL = Path("/run/vfiod/journal.json")
STATE = Path("/var/lib/vfiod")
BACKUPS = Path("/var/lib/vfiod/backups")
# The stage of ROMs is below one of the few folders that QEMU may read: see linux/files.py.
ROM_STAGE = Path("/usr/share/vgabios/vfiod")
HOOK = Path("/etc/libvirt/hooks/qemu.d/50-vfiod")
HOOK_SOURCE = Path("/usr/share/vfiod/hooks/qemu")
HOOK_MARK = b"# Installed by vfiod.service"
