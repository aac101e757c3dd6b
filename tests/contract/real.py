"""The contract on this very machine; only for one that is there to be tested (the lab).

python3 -m tests.contract.real --display 0000:00:05.0 --audio 0000:00:05.1 --spare 0000:00:06.0
"""

import argparse
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.contract.rules import KERNEL, READING, SYSTEMD, Rig
from vfiod.bus.connection import Bus
from vfiod.host.door import Host
from vfiod.host.linux.host import LinuxHost
from vfiod.model import PciAddress


@contextmanager
def hold(address: PciAddress) -> Iterator[int]:
    """A process that has a sound node of the function open and ignores its disconnection."""
    nodes = Path(f"/sys/bus/pci/devices/{address}/sound").glob("card*/controlC*")
    node = f"/dev/snd/{next(nodes).name}"
    with open(node, "rb") as file:
        holder = subprocess.Popen(["sleep", "600"], stdin=file)
    try:
        yield holder.pid
    finally:
        holder.kill()
        holder.wait()


@contextmanager
def leave(host: Host) -> Iterator[str]:
    """A session of root's whose first process has ended and another has not (systemd.exec(5),
    PAMName=); where logind kills no user's processes it is closing from then on.
    """
    before = {session.ident for session in host.logins.sessions()}
    run = ["systemd-run", "--quiet", "--wait", "--collect", "--uid=root", "-p", "PAMName=login"]
    subprocess.run([*run, "sh", "-c", "sleep 600 &"], check=True)
    assert host.wait(lambda: any(s.closing for s in host.logins.sessions()), seconds=20)
    (session,) = (s for s in host.logins.sessions() if s.closing and s.ident not in before)
    try:
        yield session.ident
    finally:
        subprocess.run(["systemctl", "stop", session.unit], check=False)


def main() -> int:
    """Run every rule, print each result, and say how many were broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--display", "--audio", "--spare"):
        parser.add_argument(name, required=True, type=PciAddress.parse)
    parser.add_argument("--unit", default="cron.service")
    arguments = parser.parse_args()
    _run_loop_beside()
    host = LinuxHost(Bus())
    rig = Rig(host, **vars(arguments), hold=hold, leave=partial(leave, host))
    broken = 0
    for rule in (*READING, *SYSTEMD, *KERNEL):
        try:
            rule(rig)
        except Exception:
            broken += 1
            print(f"BROKEN {rule.__name__}\n{traceback.format_exc()}", flush=True)
        else:
            print(f"kept   {rule.__name__}", flush=True)
    print(f"{broken} broken")
    return 1 if broken else 0


def _run_loop_beside() -> None:
    """systemd's signals about jobs arrive in a main loop."""
    from gi.repository import GLib

    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
