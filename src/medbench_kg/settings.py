"""Every setting of the server in one table: name, variable, default, unit and meaning.

Settings enter once, at the edge: ``server.py`` and the command line call :func:`from_env` and pass
the result on. No other module reads the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SETTINGS", "Setting", "Settings", "from_env"]


@dataclass(frozen=True)
class Setting:
    """One line of the table that README and ``medbench settings`` show."""

    name: str
    variable: str
    default: str
    unit: str
    help_en: str
    help_zh: str


#: The table. A test compares it with README.
SETTINGS = (
    Setting(
        "host",
        "MEDBENCH_HOST",
        "127.0.0.1",
        "address",
        "Address that the server listens on.",
        "服务器监听的地址。",
    ),
    Setting(
        "port",
        "MEDBENCH_PORT",
        "8000",
        "port",
        "Port that the server listens on; 0 lets the system choose.",
        "服务器监听的端口；0 表示由系统选择。",
    ),
    Setting(
        "workers",
        "MEDBENCH_WORKERS",
        "2",
        "processes",
        "Number of server processes; each holds the graph.",
        "服务器进程数；每个进程都持有一份图谱。",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force, checked."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2


def from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables.

    Raises:
        SettingsError: a number isn't one, or is out of range.
    """
    env = os.environ if environ is None else environ
    raw = {s.name: env.get(s.variable) or s.default for s in SETTINGS}
    return Settings(
        host=raw["host"],
        port=_number("MEDBENCH_PORT", raw["port"], 0, 65535),
        workers=_number("MEDBENCH_WORKERS", raw["workers"], 1, 64),
    )


def _number(variable: str, text: str, low: int, high: int) -> int:
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise SettingsError(
        f"{variable} is “{text}”.", hint=f"Give a whole number from {low} to {high}."
    )
