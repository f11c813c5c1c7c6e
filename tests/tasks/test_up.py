"""The whole machine as real processes: Valkey, scheduler, Celery workers, crawl processes, on both databases."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.demo.newsroom import Newsroom
from crawler.urls import site_of
from storage import changes, reading, sources
from storage.audit import audit
from storage.settings import Settings
from storage.store import Store
from tasks.app import CopydeskApp
from tasks.broker import embedded, located
from tasks.heartbeat import last_beat
from tasks.queue import CeleryQueue

PROGRAM = """
import sys
from storage.errors import CopydeskError
from storage.settings import load_settings
from tasks.up import up
try:
    sys.exit(up(load_settings()))
except CopydeskError as error:
    sys.exit(f"Error: {error}")
"""


class Machine:
    """`up` in a process of its own, with what it says."""

    def __init__(self, settings: Settings) -> None:
        environment = {**os.environ, **settings.environment()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE, text=True, cwd=settings.data
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.said += (line.rstrip() for line in lines)

    def stop(self, number: signal.Signals = signal.SIGTERM, within_s: float = 10.0) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=within_s)
        self._reader.join(timeout=5)
        return code

    def has_said(self, part: str) -> bool:
        return any(part in line for line in self.said)


def until(true: Callable[[], object], what: str, machine: Machine, within_s: float = 60.0) -> None:
    """Wait, with a bound, until something is true."""
    pause = threading.Event()
    deadline = time.monotonic() + within_s
    while not true():
        assert machine.process.poll() is None, "\n".join(machine.said)
        assert time.monotonic() < deadline, f"waited in vain: {what}\n" + "\n".join(machine.said[-40:])
        pause.wait(0.1)


def processes_of(settings: Settings) -> list[str]:
    """The command lines of living processes that work on this data folder."""
    mark = f"COPYDESK_DATA={settings.data}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if command and mark in (folder / "environ").read_bytes() + b"\0":
                found.append(command.replace(b"\0", b" ").decode())
        except (OSError, UnicodeDecodeError):
            continue
    return found


@pytest.fixture
def launch(settings: Settings) -> Iterator[Callable[..., Machine]]:
    """Starts machines; none outlives the test."""
    started: list[Machine] = []

    def start(given: Settings = settings) -> Machine:
        started.append(Machine(given))
        return started[-1]

    yield start
    for machine in started:
        if machine.process.poll() is None:
            machine.process.kill()
            machine.process.wait()


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    with Newsroom() as room:
        yield room


def quick(settings: Settings, **more: object) -> Settings:
    """The same settings at the pace of a test."""
    values = {"tick_s": 0.5, "min_interval_s": 1, "lease_s": 10, **more}
    return replace(settings, **values, origin={**settings.origin, **dict.fromkeys(values, "test")})  # type: ignore[arg-type]


def add_sources(store: Store, room: Newsroom) -> None:
    with store.writing() as tx:
        for config in room.sources:
            every = replace(config, interval_s=10)
            sources.add(tx, every, site=site_of(config.url), now=datetime.now(UTC), interval_s=10)


def filed(store: Store) -> list[str]:
    with store.reading() as tx:
        return [article.content.url for article in reading.listed(tx, limit=1000)]


def change_count(store: Store) -> int:
    with store.reading() as tx:
        return changes.last(tx)


@pytest.mark.timeout(240)  # two cold starts of five programs, on a machine that may be busy
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)  # the faults benchmark does it on PostgreSQL
def test_what_is_stopped_in_the_middle_of_a_crawl_goes_on_where_it_was(
    store: Store, settings: Settings, newsroom: Newsroom, launch: Callable[..., Machine]
) -> None:
    paced = quick(settings, allow_addresses=newsroom.allow_addresses, delay_s=0.1, max_delay_s=0.2)
    add_sources(store, newsroom)

    first = launch(paced)
    until(lambda: change_count(store) >= 3, "the first articles", first)
    assert first.stop() == 0
    assert processes_of(paced) == []
    halfway = audit(store, datetime.now(UTC))
    assert halfway.faults == ()
    assert halfway.balance.pending > 0, "it was to be stopped in the middle"

    second = launch(paced)
    late = newsroom.truth.transient.keys()  # their site asked for a pause
    expected = newsroom.truth.articles - late
    until(lambda: expected <= set(filed(store)), "every article", second)
    assert second.stop() == 0
    assert processes_of(paced) == []

    report = audit(store, datetime.now(UTC))
    assert report.faults == ()
    assert report.balance.articles == len(filed(store)) == len(set(filed(store)))
    assert set(filed(store)) <= newsroom.truth.articles
    assert not [line for line in [*first.said, *second.said] if "Traceback" in line]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_machine_at_work_can_be_asked_kept_alive_and_killed(
    settings: Settings, launch: Callable[..., Machine]
) -> None:
    paced = quick(settings)
    machine = launch(paced)
    until(lambda: embedded(paced.data).ready(), "the broker", machine)
    queue = CeleryQueue(CopydeskApp(located(paced)))

    def roles() -> set[str]:
        return {name.split("-")[0] for name in queue.workers(0.5)}

    until(lambda: roles() == {"crawl", "process"}, "both workers", machine)
    until(lambda: last_beat(paced), "the scheduler's sign of life", machine)

    refused = launch(paced)
    assert refused.process.wait(timeout=20) == 1
    refused._reader.join(timeout=5)
    assert [line for line in refused.said if "another 'copydesk up' runs" in line] == refused.said

    victim = next(int(line.rpartition(" ")[2].rstrip(")")) for line in machine.said if "process worker started" in line)
    os.kill(victim, signal.SIGKILL)
    until(lambda: machine.has_said("process worker ended with code -9"), "the death", machine)
    until(lambda: sum("process worker started" in line for line in machine.said) == 2, "the second start", machine)
    until(lambda: roles() == {"crawl", "process"}, "both workers again", machine)

    machine.process.kill()
    machine.process.wait()
    pause = threading.Event()
    deadline = time.monotonic() + 15
    while left := processes_of(paced):
        assert time.monotonic() < deadline, left
        pause.wait(0.1)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_folder_with_a_long_path_works_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = tmp_path / ("long" * 30)

    found = embedded(deep)

    assert found.folder == deep / "run"
    assert len(os.fsencode(found.socket)) < 104 or found.socket.parent.parent == tmp_path
    assert found.socket == embedded(deep).socket != embedded(tmp_path / ("other" * 30)).socket
