"""Checks where the links of the graph lead, and keeps what was found as records.

Each host has a record in ``data/links/`` with one check of each of its links: the state of the last
check, since when it is so, and when something was last found. A record is written after every link,
so nothing that was checked is lost by an interruption. Nothing here runs by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from medbench_kg import catalogue, editing, records, vocabulary
from medbench_kg.errors import FetchError, NotFoundError
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from medbench_kg.fetching import Visit, Web
    from medbench_kg.pipeline import Assembled
    from medbench_kg.records import Node
    from medbench_kg.store import Store

__all__ = ["Status", "check", "due", "status_of", "wanted"]

#: The concepts of the scheme “link-status”.
Status = Literal["alive", "moved", "blocked", "gone", "unreachable"]

#: Hosts that are asked at the same time.
_HOSTS = 8

#: Statuses that say so, and first digits of those that say that a request is fine, or refused.
_GONE = frozenset({404, 410})
_FINE, _REFUSED = 2, 4

#: Why there was no answer, for the reader of a record.
_NOTES = {
    "not-public": {
        "en": "The address isn't on the public internet.",
        "zh": "该网址不在公共互联网上。",
    },
    "no-address": {"en": "The name of the host has no address.", "zh": "主机域名没有对应的地址。"},
    "no-connection": {"en": "The connection failed.", "zh": "连接失败。"},
    "timeout": {"en": "The server took too long.", "zh": "服务器响应超时。"},
    "tls": {"en": "The server's certificate can't be trusted.", "zh": "服务器证书不可信。"},
    "redirects": {"en": "It redirects without end.", "zh": "重定向没有终点。"},
}


def wanted(store: Store, only: Iterable[str] = ()) -> list[str]:
    """The links of datasets, of their distributions, and of the list's rows about them.

    Args:
        store: the graph.
        only: slugs of datasets; none means all.

    Raises:
        NotFoundError: a dataset has no links, or there is none of that slug.
    """
    rows = list(store.rows(catalogue.internal("links-to-check")))
    chosen = {f"{BASE}dataset/{slug}" for slug in only}
    if missing := chosen - {row["dataset"] for row in rows}:
        raise NotFoundError(
            f"There is no dataset “{min(missing).rpartition('/')[2]}” with links.",
            hint="Give a slug such as gemex.",
        )
    return list(dict.fromkeys(row["url"] for row in rows if not chosen or row["dataset"] in chosen))


def due(assembled: Assembled, urls: Iterable[str], before: dt.date) -> list[str]:
    """Those of some links whose last check was on a day or earlier, or that never had one."""
    checked = {
        check["url"]: dt.date.fromisoformat(check["checked"])
        for node in _held(assembled).values()
        for check in node["linkCheck"]
    }
    return [url for url in urls if checked.get(url, dt.date.min) <= before]


def check(
    assembled: Assembled,
    urls: Iterable[str],
    web: Web,
    today: dt.date,
    tell: Callable[[str, Status], None],
) -> None:
    """Visit links, several hosts at a time, and write what is found into ``data/links/``.

    Args:
        assembled: the graph with what is known of its links.
        urls: the links.
        web: visits them.
        today: the day of the checks.
        tell: hears of each link when its check has been written; called from several threads.

    Raises:
        FetchError: no host is found, so this machine seems to be offline; nothing is written.
        OSError: a record can't be written.
    """
    held = _held(assembled)
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(_slug(url), []).append(url)
    if hosts and not any(
        web.finds(url) for url in (BASE, *(first for first, *_ in hosts.values()))
    ):
        raise FetchError("offline", "No host is found.", hint="Is this machine online?")
    stop = threading.Event()

    def visit(slug: str) -> None:
        for url in hosts[slug]:
            if stop.is_set():
                return
            held[slug] = _noted(held.get(slug, _empty(slug)), url, web.visit(url), today)
            text = records.canonical(held[slug], vocabulary.load())
            editing.write_records({f"links/{slug}.yaml": text})
            tell(url, _check_of(held[slug], url)["linkStatus"])

    with ThreadPoolExecutor(_HOSTS) as pool:
        try:
            for done in as_completed([pool.submit(visit, slug) for slug in hosts]):
                done.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def status_of(visit: Visit) -> Status:
    """What a visit says about a link.

    Every refusal of a request (4xx) but “not found” leaves open whether the thing is there.
    """
    kind = (visit.status or 0) // 100
    if visit.status in _GONE:
        return "gone"
    if kind == _REFUSED:
        return "blocked"
    if kind == _FINE:
        return "moved" if visit.moved_to else "alive"
    return "unreachable"


def _held(assembled: Assembled) -> dict[str, Node]:
    """Slug of a host → its record."""
    return {
        record.path.stem: record.node
        for record in assembled.records
        if record.path.parent.name == "links"
    }


def _empty(slug: str) -> Node:
    return {"id": f"mblink:{slug}", "type": ["LinkReport"], "identifier": slug, "linkCheck": []}


def _check_of(report: Node, url: str) -> Node:
    return next((check for check in report["linkCheck"] if check["url"] == url), {})


def _noted(report: Node, url: str, visit: Visit, today: dt.date) -> Node:
    """A report with what a visit has found."""
    before, status, day = _check_of(report, url), status_of(visit), today.isoformat()
    is_there = status in {"alive", "moved"}
    redirect = visit.moved_to or (visit.end if visit.end != url else "")
    fresh = {
        "id": f"#{hashlib.sha256(url.encode()).hexdigest()[:12]}",
        "type": "LinkCheck",
        "note": _NOTES.get(visit.failure, {}),
        "url": url,
        "linkStatus": status,
        "checked": day,
        "statusSince": before["statusSince"] if before.get("linkStatus") == status else day,
        "lastAlive": day if is_there else before.get("lastAlive", ""),
        "responseCode": str(visit.status or ""),
        "redirectsTo": redirect,
    }
    others = [check for check in report["linkCheck"] if check["url"] != url]
    checks = [*others, {key: value for key, value in fresh.items() if value}]
    return {**report, "linkCheck": sorted(checks, key=lambda check: str(check["url"]))}


def _slug(url: str) -> str:
    """Name of the record of a link's host."""
    name = (urlsplit(url).hostname or "").encode("idna").decode().lower()
    return re.sub(r"[.-]{2,}|[^a-z0-9.-]", "-", name).strip(".-") or "no-host"
