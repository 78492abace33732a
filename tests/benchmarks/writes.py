"""Writes over HTTP: how many a second, and what is left when processes are killed meanwhile.

``python tests/benchmarks/writes.py`` copies the project, starts a server whose records may be
written, and prints JSON: writes per second of one client and of eight; then, under fire, how many
writes were acknowledged, and everything that isn't as it has to be after the last start.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import peers
import processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[2]

TOKEN = "a token of a benchmark"  # noqa: S105

#: Seconds that a server may take to answer; it builds the graph first if a record was written.
START_S = 180

#: What is killed, in turns; see :meth:`Site.kill`.
KILLED = ("all", "one", "first", "one")

#: Where each write leaves its number.
_NUMBER = re.compile(rb"write ([0-9]+)\}")


class Site:
    """A copy of the project with a server that is started again whenever it has ended."""

    def __init__(self, root: Path, data: Path) -> None:
        """Copy the project with the records of a folder; nothing runs yet."""
        self.root = root
        self.data = root / "data"
        self.port = peers.free_port()
        self._process: subprocess.Popen[str] | None = None
        self._starting = threading.Lock()
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        for name in ("src", "ontology", "shapes"):
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        shutil.copytree(data, self.data)
        for name in ("pyproject.toml", "server.py"):
            shutil.copy(ROOT / name, root)

    def start(self) -> None:
        """Have the server run and answer."""
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        env = {
            "MEDBENCH_WRITABLE": "on",
            "MEDBENCH_TOKENS": f"ann:{digest}",
            "MEDBENCH_ACCESS_LOG": "off",
            "MEDBENCH_CHECK_DEADLINE_S": "120",
            "MEDBENCH_PORT": str(self.port),
            "PYTHONPATH": str(self.root / "src"),
        }
        end = time.monotonic() + START_S
        with self._starting:
            while not self._answers():
                if time.monotonic() > end:
                    raise RuntimeError(self.log.read_text(encoding="utf-8"))
                if self._process is None or self._process.poll() is not None:
                    # Until all that was started before has ended, the port is taken.
                    command = [sys.executable, "server.py"]
                    self._process = processes.start(command, self.log, env, self.root)
                time.sleep(0.05)

    @property
    def log(self) -> Path:
        """What the servers have said."""
        return self.root / "server.log"

    def _answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.send("GET", "/healthz", b"")[0] == http.HTTPStatus.OK
        return False

    def send(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, str]:
        """Status and ETag of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=150)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("ETag", "")
        finally:
            connection.close()

    def kill(self, what: str, chance: random.Random) -> None:
        """Kill one of the processes of the server, the one that was started, or all at once."""
        assert self._process is not None
        family = processes.tree(self._process.pid)
        chosen = {"one": [chance.choice(family)], "first": family[:1], "all": family}[what]
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the server and all that it started."""
        if self._process is not None:
            processes.stop(self._process)


@dataclass
class Writer:
    """A client that changes records of its own again and again.

    Attributes:
        states: ETags of what was acknowledged.
        acknowledged: slug → number of the last write that was.
        sent: slug → number of the last write that was sent.
        count: writes that were sent.
        refused: statuses that say that nothing was written for another reason than a kill.
    """

    site: Site
    template: bytes
    slugs: Sequence[str]
    states: list[str] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    count: int = 0
    refused: list[int] = field(default_factory=list)

    def write(self, slug: str, number: int) -> None:
        """Send the next state of a record; if the server is gone, have it started again."""
        body = self.template.replace(b"gemex", slug.encode()).replace(
            b"{en: GEMeX}", b"{en: write %d}" % number
        )
        known = {"If_Match": "*"} if slug in self.acknowledged else {}
        self.sent[slug] = number
        self.count += 1
        try:
            status, state = self._put(slug, body, known)
            if status in {412, 428}:  # one that wasn't acknowledged came to be
                status, state = self._put(slug, body, {"If_Match": "*"})
        except (OSError, http.client.HTTPException):
            self.site.start()
            return
        if status in {201, 204}:
            self.acknowledged[slug] = number
            self.states.append(state.strip('"'))
        elif status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            self.refused.append(status)
        else:  # what answers was cut off from what judges
            time.sleep(0.1)
            self.site.start()

    def _put(self, slug: str, body: bytes, known: dict[str, str]) -> tuple[int, str]:
        return self.site.send(
            "PUT",
            f"/record/{slug}",
            body,
            Content_Type="application/yaml",
            Authorization=f"Bearer {TOKEN}",
            Medbench_Reason=f"write%20{self.sent[slug]}",
            **known,
        )


def rate(site: Site, clients: int, writes: int, name: str) -> float:
    """Writes per second that are acknowledged to some clients at once."""
    writers = [Writer(site, _template(site), [f"{name}-{i}"]) for i in range(clients)]
    begin = time.perf_counter()
    _at_once(writers, writes // clients)
    seconds = time.perf_counter() - begin
    return sum(len(writer.states) for writer in writers) / seconds


def under_fire(
    site: Site, clients: int, writes: int, kills: int, seed: int
) -> tuple[list[Writer], list[str]]:
    """Write from several clients while processes are killed; give the clients and what was killed.

    Kills are at random moments after random numbers of writes, the last before all are done.
    """
    chance = random.Random(seed)  # noqa: S311
    writers = [
        Writer(site, _template(site), [f"fire-{i}-{j}" for j in range(4)]) for i in range(clients)
    ]
    moments = sorted(chance.sample(range(1, writes * 9 // 10), kills))
    killed: list[str] = []

    def kill() -> None:
        for moment in moments:
            while sum(writer.count for writer in writers) < moment:
                time.sleep(0.01)
            time.sleep(chance.random() / 2)
            site.start()
            killed.append(KILLED[len(killed) % len(KILLED)])
            site.kill(killed[-1], chance)

    killer = threading.Thread(target=kill)
    killer.start()
    _at_once(writers, writes // clients)
    killer.join()
    return writers, killed


def wrongs(site: Site, writers: Iterable[Writer]) -> list[str]:
    """Start the server once more, and tell whatever isn't as it has to be."""
    site.stop()
    site.start()
    files = {path: path.read_bytes() for path in site.data.rglob("*") if path.is_file()}
    found = [f"a draft is left: {path}" for path in files if path.name.startswith(".")]
    journal = (site.data / "journal.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in journal.splitlines()]
    last = {line["file"]: line["after"] for line in lines}
    before: dict[str, str] = {}
    for line in lines:
        if before.get(line["file"], "") != line["before"]:
            found.append(f"the journal skips a state of {line['file']}")
        before[line["file"]] = line["after"]
    told = {line["after"] for line in lines}
    for name, state in last.items():
        content = files.get(site.data / name, b"")
        if state != (hashlib.sha256(content).hexdigest() if content else ""):
            found.append(f"the journal tells of another state of {name}")
    for writer in writers:
        found += [f"not in the journal: {state}" for state in writer.states if state not in told]
        found += [f"refused with {status}" for status in writer.refused]
        for slug, number in writer.acknowledged.items():
            kept = _NUMBER.search(files.get(site.data / "datasets" / f"{slug}.yaml", b""))
            if kept is None or not number <= int(kept[1]) <= writer.sent[slug]:
                found.append(f"{slug}: write {number} was acknowledged and is lost")
    done = subprocess.run(
        [sys.executable, "-m", "medbench_kg", "check"],
        cwd=site.root,
        env={**os.environ, "PYTHONPATH": str(site.root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return found if done.returncode == 0 else [*found, f"the graph doesn't conform: {done.stdout}"]


def _template(site: Site) -> bytes:
    return (site.data / "datasets" / "gemex.yaml").read_bytes()


def _at_once(writers: Sequence[Writer], each: int) -> None:
    def run(writer: Writer) -> None:
        for number in range(1, each + 1):
            writer.write(writer.slugs[number % len(writer.slugs)], number)

    threads = [threading.Thread(target=run, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=1000, help="under fire")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medbench-writes-") as folder:
        site = Site(Path(folder) / "site", ROOT / "data")
        try:
            site.start()
            rate(site, 1, 2, "first")
            told: dict[str, object] = {
                "load": os.getloadavg()[0],
                "alone_per_s": round(rate(site, 1, 20, "alone"), 2),
                "eight_per_s": round(rate(site, 8, 40, "eight"), 2),
            }
            writers, killed = under_fire(site, 8, options.writes, options.kills, options.seed)
            told |= {
                "sent": sum(writer.count for writer in writers),
                "acknowledged": sum(len(writer.states) for writer in writers),
                "killed": killed,
                "wrong": wrongs(site, writers),
            }
            json.dump(told, sys.stdout)
        finally:
            site.stop()
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
