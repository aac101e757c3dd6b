"""Composition for the commands that read this machine without the daemon, as any user."""

from pathlib import Path

from vfiod import domain, inventory
from vfiod.bus import Bus
from vfiod.checks import Request
from vfiod.config import Config
from vfiod.daemon import CONFIG, load_config
from vfiod.errors import ConfigError
from vfiod.guests import domain_xml
from vfiod.linux.host import LinuxHost
from vfiod.plan import Plan, plan_handoff


def read_config_file(path: Path = CONFIG) -> Config:
    """The configuration; the one in /etc must be root's, as the daemon insists on it."""
    if not path.exists() and path != CONFIG:
        raise ConfigError([f"{path} does not exist"])
    return load_config(path, trusted=path == CONFIG)


def plan_for(name: str) -> Plan:
    """What a start of the guest would do now. Raises Refused, ConfigError, DomainError."""
    config = read_config_file()
    guest = config.guests.get(name)
    if guest is None:
        named = ", ".join(config.guests) or "none"
        raise ConfigError([f"{CONFIG} names no guest {name!r} (it names: {named})"])
    wanted = domain.parse(domain_xml(name))
    state = inventory.read(LinuxHost(Bus()), config, guest, wanted)
    return plan_handoff(Request(config, guest, wanted, state))
