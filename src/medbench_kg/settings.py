"""Every setting of the server in one table: name, variable, default, unit and meaning.

Settings enter once, at the edge: ``server.py`` and the command line call :func:`from_env` and pass
the result on. No other module reads the environment.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from medbench_kg.endpoint import Endpoint
from medbench_kg.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SETTINGS", "Endpoint", "Setting", "Settings", "from_env"]


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
        "store",
        "MEDBENCH_STORE",
        "",
        "folder",
        "Folder of a graph on disk (“medbench build --store”); empty: the built graph, in memory.",
        "磁盘图谱所在目录（由“medbench build --store”生成）；留空则使用内存中的已构建图谱。",
    ),
    Setting(
        "workers",
        "MEDBENCH_WORKERS",
        "2",
        "processes",
        "Number of server processes; each holds the graph.",
        "服务器进程数；每个进程都持有一份图谱。",
    ),
    Setting(
        "deadline_s",
        "MEDBENCH_DEADLINE_S",
        "10",
        "seconds",
        "Longest time that a query may take; a client can ask for less with “timeout=”.",
        "单个查询的最长时间；客户端可用“timeout=”要求更短。",
    ),
    Setting(
        "memory_mb",
        "MEDBENCH_MEMORY_MB",
        "512",
        "MiB",
        "Memory that a query may use beyond the graph.",
        "单个查询在图谱之外可用的内存。",
    ),
    Setting(
        "answer_mb",
        "MEDBENCH_ANSWER_MB",
        "256",
        "MiB",
        "Largest answer to a query.",
        "单个查询结果的最大体积。",
    ),
    Setting(
        "body_kb",
        "MEDBENCH_BODY_KB",
        "1024",
        "KiB",
        "Largest body of a request.",
        "请求正文的最大体积。",
    ),
    Setting(
        "short_queries",
        "MEDBENCH_SHORT_QUERIES",
        "3",
        "queries",
        "Queries at a time in each server process.",
        "每个服务器进程同时执行的查询数。",
    ),
    Setting(
        "long_queries",
        "MEDBENCH_LONG_QUERIES",
        "2",
        "queries",
        "Queries of over half a second at a time in each server process, besides the others.",
        "每个服务器进程另可同时执行的长查询（超过半秒）数。",
    ),
    Setting(
        "cache_mb",
        "MEDBENCH_CACHE_MB",
        "8",
        "MiB",
        "Answers kept in memory by each server process.",
        "每个服务器进程在内存中缓存的结果总量。",
    ),
    Setting(
        "access_log",
        "MEDBENCH_ACCESS_LOG",
        "on",
        "on or off",
        "Whether each request is logged to standard error as a line of JSON.",
        "是否把每个请求以一行 JSON 记录到标准错误输出。",
    ),
    Setting(
        "reload",
        "MEDBENCH_RELOAD",
        "off",
        "on or off",
        "Whether a new build is taken as soon as it is there; else SIGHUP takes it.",
        "是否在新构建完成后立即换用；否则由 SIGHUP 触发。",
    ),
    Setting(
        "public_url",
        "MEDBENCH_PUBLIC_URL",
        "",
        "URL",
        "Address that clients reach the server at, such as https://kg.example.org; absolute links "
        "begin with it. A proxy takes its path off.",
        "客户端访问本服务器的地址，例如 https://kg.example.org；绝对链接以此开头，其中的路径由代理去除。",
    ),
    Setting(
        "trusted_proxies",
        "MEDBENCH_TRUSTED_PROXIES",
        "0",
        "proxies",
        "Number of proxies in front, whose X-Forwarded-For is believed.",
        "前置代理的层数，采信其 X-Forwarded-For。",
    ),
    Setting(
        "rate_limit",
        "MEDBENCH_RATE_LIMIT",
        "off",
        "off, or requests/time",
        "Requests of a client to each server process, such as 300/minute; none from this machine "
        "is counted.",
        "每个客户端向每个服务器进程发送请求的上限，例如 300/minute；来自本机的客户端不受限制。",
    ),
    Setting(
        "checks",
        "MEDBENCH_CHECKS",
        "2",
        "records",
        "Records that are checked at a time; 0 offers no checks.",
        "同时校验的记录数；0 表示不提供校验。",
    ),
    Setting(
        "check_deadline_s",
        "MEDBENCH_CHECK_DEADLINE_S",
        "30",
        "seconds",
        "Longest time that the check of a record may take.",
        "校验一条记录的最长时间。",
    ),
    Setting(
        "writable",
        "MEDBENCH_WRITABLE",
        "off",
        "on or off",
        "Whether holders of a token can write records.",
        "是否允许持有令牌者写入记录。",
    ),
    Setting(
        "tokens",
        "MEDBENCH_TOKENS",
        "",
        "name:digest, …",
        "Who can write, separated by commas, as “medbench token” gives them: the digest of each "
        "token, never the token.",
        "可写入者，以逗号分隔，由“medbench token”生成：只含令牌的摘要，不含令牌本身。",
    ),
    Setting(
        "repository",
        "MEDBENCH_REPOSITORY",
        "",
        "URL",
        "Repository whose issues take contributions, such as https://github.com/owner/name.",
        "以 issue 接受贡献的代码仓库，例如 https://github.com/owner/name。",
    ),
    Setting(
        "endpoint",
        "MEDBENCH_ENDPOINT",
        "",
        "URL",
        "SPARQL endpoint to ask instead of the built graph.",
        "改为查询此 SPARQL 端点，而不使用构建好的图谱。",
    ),
    Setting(
        "graph",
        "MEDBENCH_GRAPH",
        "",
        "IRI",
        "Named graph of that endpoint that holds the graph; empty is its default graph.",
        "该端点中存放图谱的命名图；留空表示其默认图。",
    ),
    Setting(
        "endpoint_user",
        "MEDBENCH_ENDPOINT_USER",
        "",
        "name",
        "User for Basic authentication at that endpoint.",
        "在该端点进行 Basic 认证的用户名。",
    ),
    Setting(
        "endpoint_password",
        "MEDBENCH_ENDPOINT_PASSWORD",
        "",
        "text",
        "Password of that user.",
        "该用户的密码。",
    ),
    Setting(
        "endpoint_token",
        "MEDBENCH_ENDPOINT_TOKEN",
        "",
        "text",
        "Bearer token for that endpoint, instead of user and password.",
        "该端点的 Bearer 令牌，用于代替用户名和密码。",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force, checked."""

    host: str = "127.0.0.1"
    port: int = 8000
    store: Path | None = None
    workers: int = 2
    deadline_s: int = 10
    memory_mb: int = 512
    answer_mb: int = 256
    body_kb: int = 1024
    short_queries: int = 3
    long_queries: int = 2
    cache_mb: int = 8
    access_log: bool = True
    endpoint: Endpoint | None = None
    reload: bool = False
    public_url: str = ""
    trusted_proxies: int = 0
    rate_limit: str = "off"
    checks: int = 2
    check_deadline_s: int = 30
    writable: bool = False
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    repository: str = ""

    def __post_init__(self) -> None:
        """Refuse what doesn't go together.

        Raises:
            SettingsError: records can be written, but by nobody, or not where they are served from.
        """
        if self.writable and not self.tokens:
            raise SettingsError(
                "MEDBENCH_WRITABLE is on, but nobody has a token.",
                hint="Make one with “medbench token”, and set MEDBENCH_TOKENS.",
            )
        if self.writable and (self.store or self.endpoint or not self.checks):
            raise SettingsError(
                "MEDBENCH_WRITABLE is on, but it isn't the built graph that is served and checked.",
                hint="Set neither MEDBENCH_STORE nor MEDBENCH_ENDPOINT, nor MEDBENCH_CHECKS to 0.",
            )


#: Lowest and highest value of each number.
_RANGES = {
    "port": (0, 65535),
    "workers": (1, 64),
    "deadline_s": (1, 3600),
    "memory_mb": (64, 1 << 20),
    "answer_mb": (1, 4095),
    "body_kb": (16, 1 << 20),
    "short_queries": (1, 256),
    "long_queries": (1, 256),
    "cache_mb": (0, 1 << 20),
    "trusted_proxies": (0, 16),
    "checks": (0, 64),
    "check_deadline_s": (1, 3600),
}

_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}:[0-9a-f]{64}")
_RATE = re.compile(r"off|[1-9]\d{0,8}/(second|minute|hour|day)")

#: The settings that make an endpoint, in the order of its attributes.
_ENDPOINT = ("endpoint", "graph", "endpoint_user", "endpoint_password", "endpoint_token")


def from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables.

    Raises:
        SettingsError: a value can't be used, such as a number that is out of range.
    """
    env = os.environ if environ is None else environ
    raw = {s.name: (s.variable, env.get(s.variable) or s.default) for s in SETTINGS}
    numbers = {name: _number(*raw[name], *_RANGES[name]) for name in _RANGES}
    return Settings(
        host=raw["host"][1],
        store=Path(raw["store"][1]) if raw["store"][1] else None,
        access_log=_switch(*raw["access_log"]),
        endpoint=_endpoint(*(raw[name][1] for name in _ENDPOINT)),
        reload=_switch(*raw["reload"]),
        public_url=_address(*raw["public_url"]),
        rate_limit=_rate(*raw["rate_limit"]),
        writable=_switch(*raw["writable"]),
        tokens=_tokens(*raw["tokens"]),
        repository=_address(*raw["repository"]).removesuffix("/"),
        **numbers,
    )


def _endpoint(url: str, *more: str) -> Endpoint | None:
    return Endpoint(url, *more) if url else None


def _number(variable: str, text: str, low: int, high: int) -> int:
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise SettingsError(
        f"{variable} is “{text}”.", hint=f"Give a whole number from {low} to {high}."
    )


def _switch(variable: str, text: str) -> bool:
    if text in {"on", "off"}:
        return text == "on"
    raise SettingsError(f"{variable} is “{text}”.", hint="Write on or off.")


def _address(variable: str, text: str) -> str:
    """A URL that ends in a slash; empty if none is given."""
    if not text:
        return ""
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
        known = parts.scheme in {"http", "https"} and _HOST.fullmatch(host)
        if known and _PATH.fullmatch(parts.path) and not parts.query and not parts.fragment:
            return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/')}/"
    raise SettingsError(
        f"{variable} is “{text}”.", hint="Write scheme, host and path: https://kg.example.org/."
    )


def _tokens(variable: str, text: str) -> dict[str, str]:
    """Names and the SHA-256 digests of their tokens."""
    pairs = [entry.strip() for entry in text.split(",") if entry.strip()]
    if all(_TOKEN.fullmatch(pair) for pair in pairs):
        found = dict(pair.split(":") for pair in pairs)
        if len(found) == len(pairs):
            return found
    raise SettingsError(
        f"{variable} isn't a list of names and digests.",
        hint="Write what “medbench token” gives: name:digest, separated by commas.",
    )


def _rate(variable: str, text: str) -> str:
    if _RATE.fullmatch(text):
        return text
    raise SettingsError(
        f"{variable} is “{text}”.",
        hint="Write off, or a number per second, minute, hour or day, such as 300/minute.",
    )
