"""Containers: which one a process is in, who stops it, and that its failure stops nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.fakes import pcs
from tests.fakes.bus import FakeBus
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.handoff.decision.containers import Container, container_of
from vfiod.handoff.steps.containers import StopContainer
from vfiod.host.linux.containers import LinuxContainers
from vfiod.host.linux.units import LinuxUnits
from vfiod.model import Holder

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("group", "unit", "wanted"),
    [
        (f"/system.slice/docker-{ID}.scope", f"docker-{ID}.scope", Container("docker", ID)),
        (f"/docker/{ID}", "", Container("docker", ID)),
        (f"/system.slice/nerdctl-{ID}.scope", f"nerdctl-{ID}.scope", Container("nerdctl", ID)),
        (f"/machine.slice/libpod-{ID}.scope/container", f"libpod-{ID}.scope",
         Container("podman", ID)),
        (f"/machine.slice/machine-libpod_pod_{ID}.slice/libpod-{ID}.scope/container",
         f"libpod-{ID}.scope", Container("podman", ID)),
        (f"/lxc.payload.dev/system.slice/docker-{ID}.scope", "", Container("lxc", "dev")),
        ("/lxc.payload.dev/system.slice/ssh.service", "", Container("lxc", "dev")),
        ("/lxc.payload.user-1000_dev/init.scope", "", Container("lxc", "user-1000_dev")),
        # A quadlet is its service's, a rootless one is stopped with its user's manager.
        (f"/system.slice/ollama.service/libpod-payload-{ID}", "ollama.service", None),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
         "user@1000.service", None),
        ("/system.slice/docker.service", "docker.service", None),
        ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope", None),
        ("/", "", None),
    ],
)  # fmt: skip
def test_which_container_a_process_is_in(group: str, unit: str, wanted: Container | None) -> None:
    assert container_of(Holder(7, "ollama", "/dev/dri/card0", unit, group=group)) == wanted


class Recorder:
    """Stands in for systemd."""

    def __init__(self) -> None:
        self.ran: list[Sequence[str]] = []

    def run(self, name: str, argv: Sequence[str], *, seconds: float) -> None:
        self.ran.append(argv)


def commands(*installed: str) -> tuple[LinuxContainers, list[Sequence[str]]]:
    recorder = Recorder()
    places = {program: f"/usr/bin/{program}" for program in installed}
    return LinuxContainers(cast(LinuxUnits, recorder), places.get), recorder.ran


@pytest.mark.parametrize("engine", ["docker", "podman", "nerdctl"])
def test_an_engine_stops_and_starts_its_own(engine: str) -> None:
    containers, ran = commands("docker", "podman", "nerdctl")
    containers.stop(engine, ID, seconds=20)
    containers.start(engine, ID, seconds=20)
    program = f"/usr/bin/{engine}"
    assert ran == [(program, "stop", "-t", "5", ID), (program, "start", ID)]


def test_a_container_of_lxc_s_is_stopped_by_whoever_is_there() -> None:
    containers, ran = commands("incus", "lxc", "lxc-stop")
    containers.stop("lxc", "user-1000_dev", seconds=20)
    incus = ("/usr/bin/incus", "stop", "dev", "--timeout", "5", "--project", "user-1000")
    assert ran == [incus]
    containers, ran = commands("lxc-stop", "lxc-start")
    containers.stop("lxc", "dev", seconds=20)
    containers.start("lxc", "dev", seconds=20)
    assert [argv[-2:] for argv in ran] == [("--name", "dev")] * 2


def test_a_person_starts_one_by_the_same_command() -> None:
    containers, _ = commands("docker", "incus", "lxc-start")
    assert containers.to_start("docker", ID) == f"sudo /usr/bin/docker start {ID}"
    project = "sudo /usr/bin/incus start my-development-box --project user-1000"
    assert containers.to_start("lxc", "user-1000_my-development-box") == project
    containers, _ = commands("lxc-start")
    name = "my-development-box"
    assert containers.to_start("lxc", name) == f"sudo /usr/bin/lxc-start --name {name}"
    assert containers.to_start("docker", ID) == ""


def test_the_name_of_a_container_of_lxc_s_is_whole() -> None:
    assert str(Container("lxc", "my-development-box")) == "my-development-box of lxc"
    assert str(Container("docker", ID)) == f"{ID[:12]} of docker"
    step = StopContainer("lxc", "my-development-box", 20.0)
    assert step.describe() == "stop the lxc container my-development-box"
    containers, _ = commands()
    with pytest.raises(HostError, match="the lxc container my-development-box"):
        containers.start("lxc", "my-development-box", seconds=20)


def test_without_its_engine_a_container_cannot_be_stopped() -> None:
    containers, _ = commands()
    with pytest.raises(HostError, match="nothing is installed that could stop the docker"):
        containers.stop("docker", ID, seconds=20)


def test_systemd_runs_the_command_outside_of_the_confinement() -> None:
    bus = FakeBus()
    units = LinuxUnits(bus)
    units.run("vfiod-docker-stop", ["/usr/bin/docker", "stop", ID], seconds=20)
    (call,) = [call for call in bus.calls if call[0] == "StartTransientUnit"]
    _, name, mode, properties, others = call
    values = {key: value.unpack() for key, value in properties}
    assert name.startswith("vfiod-docker-stop-")
    assert (mode, others) == ("fail", [])
    assert values["ExecStart"] == [("/usr/bin/docker", ["/usr/bin/docker", "stop", ID], False)]
    assert values["TimeoutStartUSec"] == 20_000_000
    bus.transient = "failed"
    with pytest.raises(HostError, match="ended as failed"):
        units.run("vfiod-docker-stop", ["/usr/bin/docker", "stop", ID], seconds=20)


# In a handoff


def test_one_with_a_restart_policy_is_stopped_and_started_again(run_directory: Path) -> None:
    rig = Rig(pcs.container(), run_directory)
    pid = rig.start()
    rig.pass_time(30)
    assert not [name for name in rig.host.effects.log if name.startswith("signal ollama")]
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_one_that_cannot_be_stopped_stands_before_a_closed_gate(run_directory: Path) -> None:
    rig = Rig(pcs.container(), run_directory)
    rig.prepare()
    number = rig.host.effects.log.index(f"docker stop {pcs.CONTAINER[:12]}") + 1
    rig = Rig(pcs.container(), run_directory)
    rig.host.effects.plan({number: Fault.FAIL_BEFORE})
    pid = rig.start()
    assert any("are ended one by one" in text for text in rig.messages(Kind.REMARK))
    rig.end_guest(pid)
    assert rig.host.kernel.mishaps == []


def test_one_that_does_not_start_again_is_a_remark(run_directory: Path) -> None:
    rig = Rig(pcs.container(), run_directory)
    pid = rig.start()
    rig.host.user.units[f"docker-{pcs.CONTAINER}.scope"].start_fails = True
    rig.end_guest(pid)
    assert rig.phase.value == "host"
    command = f"see to it with: sudo /usr/bin/docker start {pcs.CONTAINER}"
    assert any(text.endswith(command) for text in rig.messages(Kind.REMARK))
