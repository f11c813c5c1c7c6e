"""The living processes of a run, found by what stands in their environment, and which part each of them plays."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CRAWL, BROKER, SCHEDULER, UP, WEB, OTHER = "crawl", "broker", "scheduler", "up", "web", "other"
CRAWL_WORKER, PROCESS_WORKER = "crawl worker", "process worker"
CRAWL_CHILD, PROCESS_CHILD = "crawl child", "process child"
WORKERS = (CRAWL_WORKER, PROCESS_WORKER)
_CHILDREN = {CRAWL_WORKER: CRAWL_CHILD, PROCESS_WORKER: PROCESS_CHILD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process; `started` tells it from a later one with the same number."""

    pid: int
    parent: int
    group: int
    started: int
    command: tuple[str, ...]

    def is_alive(self) -> bool:
        """Whether it is there, and no zombie."""
        now = _read(self.pid)
        return now is not None and now.started == self.started

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send it, or its whole group, a signal; nothing happens if it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.group, number) if group else os.kill(self.pid, number)


def living(data: Path) -> list[Process]:
    """All processes that work on a data folder."""
    mark = f"COPYDESK_DATA={data}\0".encode()
    found = [(pid, _read(pid)) for pid in _pids()]
    # Valkey writes its title over its environment; the title names its socket
    return [one for pid, one in found if one is not None and (str(data) in one.command[0] or _has(pid, mark))]


def by_part(found: list[Process]) -> dict[str, list[Process]]:
    """Processes by the part that each plays."""
    parts = {one.pid: _part(one.command) for one in found}
    told: dict[str, list[Process]] = {}
    for one in found:
        part = parts[one.pid]
        if part in _CHILDREN and parts.get(one.parent) == part:
            part = _CHILDREN[part]
        told.setdefault(part, []).append(one)
    return told


def _part(command: tuple[str, ...]) -> str:
    words = set(command)
    if "valkey" in command[0]:
        return BROKER
    if "crawler.run" in words:
        return CRAWL
    if words & {"tasks.worker", "worker"}:
        return PROCESS_WORKER if "process" in words else CRAWL_WORKER
    if words & {"tasks.schedule", "scheduler"}:
        return SCHEDULER
    if command[-1] == "up":
        return UP
    return OTHER


def _pids() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def _has(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return False


def _read(pid: int) -> Process | None:
    try:
        state, parent, group, *more = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except OSError:
        return None
    if state == "Z" or not command[0]:
        return None
    return Process(pid=pid, parent=int(parent), group=int(group), started=int(more[16]), command=tuple(command))
