"""One crawl: claim sites, let a process of its own visit them, pass on what it tells."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from crawler.claims import claim
from storage import sites
from storage.database import Tx
from storage.records import Site
from storage.settings import Settings
from storage.store import Store

LONGEST_S = 900.0
"""A crawl that is still running then is asked to end; what is left waits for the next."""
GRACE_S = 30.0
"""How long a crawl process may take to end when asked, before it is killed."""

_LOOK_S = 0.2
_REST, _LONGEST_REST = timedelta(seconds=15), timedelta(hours=1)


class Stop(Protocol):
    """Something that can be asked whether it is time to end, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlReport:
    """How a crawl went."""

    owner: str
    sites: tuple[str, ...] = ()
    """The sites that were claimed."""
    polls: int = 0
    entries: int = 0
    """Named by the listings that were read."""
    discovered: int = 0
    """Of these, addresses that nobody had seen before."""
    fetched: int = 0
    """Pages whose bytes are stored and wait to be processed."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Pages and polls by what became of them: `fetched`, `redirected`, `http_404`, `poll_ok`, …"""
    stopped: bool = False
    """Whether it was ended early, by a stop or by the clock."""
    failed: bool = False
    """Whether the process ended with an error, or died. Its sites are free again all the same."""


def crawl(
    settings: Settings,
    store: Store,
    *,
    on_event: Callable[[dict[str, Any]], None] = lambda _event: None,
    only_sites: Collection[str] = (),
    limit_sites: int | None = None,
    stop: Stop | None = None,
    longest_s: float = LONGEST_S,
    stay_s: float = 0.0,
) -> CrawlReport:
    """Crawl sites that have work, at most `sites_per_crawl` of them at the same time; blocks until that is done.

    For `stay_s` seconds the process claims more sites as it gets done with the first: it is worth keeping, as to start
    one takes a second or two of a core. It ends before if there is nothing to do for two ticks of the scheduler.
    `on_event` is called in this thread with each event of `crawler.run` but the last. `stop`, once set, ends the crawl
    gracefully. Where no site has work, the report is empty and no process is started. Raises StoreError.
    """
    owner = f"{socket.gethostname()[:50]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lease = timedelta(seconds=settings.lease_s)
    limit = settings.sites_per_crawl if limit_sites is None else limit_sites
    claimed = store.write(lambda tx: claim(tx, owner, datetime.now(UTC), lease=lease, limit=limit, only=only_sites))
    if not claimed:
        return CrawlReport(owner=owner)
    report: CrawlReport | None = None
    try:
        report = _run(settings, owner, claimed, on_event, stop or threading.Event(), (longest_s, stay_s))
        return report
    finally:
        broken = report is None or report.failed
        store.write(lambda tx: _give_back(tx, owner, datetime.now(UTC), broken=broken))


def _run(
    settings: Settings,
    owner: str,
    claimed: list[Site],
    on_event: Callable[[dict[str, Any]], None],
    stop: Stop,
    times: tuple[float, float],
) -> CrawlReport:
    longest_s, stay_s = times
    totals = {"polls": 0, "entries": 0, "discovered": 0, "fetched": 0}
    counts: dict[str, int] = {}
    with _start(settings, owner, stay_s) as process:
        watch = _Watch(process, stop, longest_s)
        watch.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                counts |= event.get("done", {})
                _count(totals, event)
                if "done" not in event:
                    on_event(event)
        except BaseException:
            process.terminate()
            raise
        finally:
            watch.end()
    failed = process.returncode != 0 and not (watch.stopped and process.returncode < 0)
    names = tuple(site.key for site in claimed)
    return CrawlReport(owner=owner, sites=names, counts=counts, stopped=watch.stopped, failed=failed, **totals)


def _start(settings: Settings, owner: str, stay_s: float) -> "subprocess.Popen[str]":
    # -P: a file of the current folder must not stand in for a module of ours; so our own folder has to be named
    home = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "crawler.run", "--owner", owner, "--stay", str(stay_s)]
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": path}
    # a session of its own: Ctrl-C is ours to pass on, once; a second signal would end it uncleanly
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )


class _Watch(threading.Thread):
    """Ends the process when it is told to, or when its time is over."""

    def __init__(self, process: "subprocess.Popen[str]", stop: Stop, longest_s: float) -> None:
        super().__init__(name="crawl-watch", daemon=True)
        self.process = process
        self.stop = stop
        self.longest_s = longest_s
        self.stopped = False
        self._over = threading.Event()

    def run(self) -> None:
        """Look at the stop event and the clock until the process has ended."""
        began = time.monotonic()  # not the time of day, which somebody may set
        while not self._over.wait(_LOOK_S):
            if self.stop.is_set() or time.monotonic() - began > self.longest_s:
                self.stopped = True
                self.process.terminate()
                if not self._over.wait(GRACE_S):
                    self.process.kill()
                return

    def end(self) -> None:
        """Wait for the process, killing it if it hangs after it has closed its output."""
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._over.set()
        self.join()


def _count(totals: dict[str, int], event: Mapping[str, Any]) -> None:
    totals["fetched"] += len(event.get("fetched", ()))
    if polled := event.get("polled"):
        totals["polls"] += 1
        totals["entries"] += polled["entries"]
        totals["discovered"] += polled["new"]


def _give_back(tx: Tx, owner: str, now: datetime, *, broken: bool) -> None:
    """Free the sites; those that a process died over rest a while, longer each time, or it would die again at once."""
    held = sites.held(tx, owner)
    for site in held if broken else ():
        rest = min(_REST * 2**site.failures, _LONGEST_REST)
        sites.block(tx, site.key, now + rest, site.failures + 1, "crawl_failed")
    sites.release(tx, owner, [site.key for site in held])
