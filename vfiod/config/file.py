"""Opens vfiod.yaml: nothing else does."""

import stat
from pathlib import Path

from vfiod.config import schema
from vfiod.config.schema import Config
from vfiod.errors import ConfigError, HostError
from vfiod.paths import CONFIG
from vfiod.util.files import read_regular

CONFIG_LIMIT = 2**20


def read_config(path: Path, *, trusted: bool) -> str:
    """Text of a configuration file.

    ``trusted`` insists that only root can have written it, as what it says is done by root.
    Raises ConfigError.
    """
    try:
        data, status = read_regular(path, CONFIG_LIMIT)
    except HostError as error:
        raise ConfigError([error.message]) from error
    if trusted and (status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        fix = f"run: sudo chown root:root {path} && sudo chmod 0644 {path}"
        raise ConfigError([f"{path}: others than root can write it; {fix}"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text at byte {error.start}"]) from error


def load_config(path: Path, *, trusted: bool = True) -> Config:
    """Read and parse a configuration file; one that is absent names no guest."""
    if not path.exists():
        return schema.parse("", filename=path.name)
    return schema.parse(read_config(path, trusted=trusted), filename=path.name)


def read_config_file(path: Path = CONFIG) -> Config:
    """The configuration; the one in /etc must be root's, as the daemon insists on it."""
    if not path.exists() and path != CONFIG:
        raise ConfigError([f"{path} does not exist"])
    return load_config(path, trusted=path == CONFIG)
