import os
import signal
import threading
from pathlib import Path

import pytest

from storage.settings import load_settings
from tasks import worker
from tasks.app import CopydeskApp
from tasks.worker import ending_soon


class Base:
    """What a worker of Celery does when it stops, as far as it matters here."""

    def __init__(self) -> None:
        self.exitcode: int | None = None
        self.heard: list[object] = []

    def install_platform_tweaks(self, worker: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self.heard.append(worker))

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        self.exitcode = exitcode


@pytest.fixture
def app(tmp_path: Path) -> CopydeskApp:
    options = {"data": tmp_path, "broker": "redis://nowhere.example/0"}
    return CopydeskApp(load_settings(options, environ={}, file=tmp_path / "none.toml"))


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes that processes would have ended with, had their time come."""
    found: list[int] = []

    class Timer(threading.Thread):
        def __init__(self, interval: float, function: object, args: tuple[int]) -> None:
            super().__init__()
            assert 0 < interval < 10
            found.extend(args)

    monkeypatch.setattr(threading, "Timer", Timer)
    return found


def test_a_worker_whose_consumer_failed_asks_its_tasks_to_end_and_ends_in_time(
    app: CopydeskApp, ends: list[int]
) -> None:
    one = ending_soon(Base, app)()
    one.stop(exitcode=1)
    assert one.failed
    assert app.stopping.is_set()
    assert one.exitcode == 1
    assert ends == [1]


def test_a_worker_that_was_told_to_stop_has_not_failed(app: CopydeskApp, ends: list[int]) -> None:
    one = ending_soon(Base, app)()
    worker._stopping(app)
    one.stop(exitcode=1)  # what Celery gives itself when it ended cold
    assert not one.failed
    assert ends == [0]


def test_a_stop_signal_is_heard_by_the_tasks_at_once(app: CopydeskApp, ends: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    one = ending_soon(Base, app)()
    try:
        one.install_platform_tweaks(one)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert app.stopping.is_set()
    assert one.heard == [one, one]
    assert ends == [0]  # once only
