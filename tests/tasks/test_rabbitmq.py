"""The queue on RabbitMQ: messages, counts and workers as on Redis. Needs one: see `amqp_url`."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from storage import changes
from storage.settings import load_settings
from storage.store import Store
from tasks.app import MAINTAIN, PROCESS, CopydeskApp
from tasks.queue import CeleryQueue, announce
from tasks.schedule import tick

_START_S = 60.0


def ready(url: str) -> bool:
    with Connection(url, connect_timeout=2) as connection:  # type: ignore[no-untyped-call]
        try:
            connection.ensure_connection(max_retries=1, timeout=2)
        except OperationalError:
            return False
        return True


@pytest.fixture(scope="module")
def amqp_url() -> Iterator[str]:
    """The URL that TEST_AMQP_URL names, or that of a server started by `rabbitmq-server`; skipped without either."""
    if given := os.environ.get("TEST_AMQP_URL"):
        yield given
        return
    program = shutil.which("rabbitmq-server")
    if program is None:
        pytest.skip("no RabbitMQ here: set TEST_AMQP_URL, or put rabbitmq-server on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        port = 20_000 + os.getpid() % 10_000
        places = {"MNESIA_BASE": folder, "LOG_BASE": folder, "NODE_PORT": f"{port}", "DIST_PORT": f"{port + 10_000}"}
        names = {f"RABBITMQ_{name}": value for name, value in places.items()}
        names["RABBITMQ_NODENAME"] = f"copydesk{os.getpid()}@localhost"
        log = Path(folder) / "said"
        how = {"env": {**os.environ, **names}, "start_new_session": True}
        with log.open("wb") as said, subprocess.Popen([program], stdout=said, **how) as server:  # type: ignore[call-overload]
            url = f"amqp://guest:guest@127.0.0.1:{port}//"
            try:
                tries = int(_START_S / 0.5)
                up = any(ready(url) or Event().wait(0.5) or server.poll() is not None for _ in range(tries))
                if not up or not ready(url):
                    pytest.skip(f"rabbitmq-server does not start here: {log.read_text()[-300:]}")
                yield url
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)  # with all that the script started; there is nothing to keep


@pytest.fixture
def app(amqp_url: str, store: Store, tmp_path: Path) -> Iterator[CopydeskApp]:
    """An app on a virtual host whose queues are empty."""
    named = load_settings(
        {"data": tmp_path, "database": store.engine.url.render_as_string(hide_password=False), "broker": amqp_url},
        environ={},
        file=tmp_path / "none.toml",
    )
    made = CopydeskApp(named)
    with made.connection_for_write() as connection:
        for queue in made.conf.task_queues:
            bound = queue(connection.default_channel)
            bound.declare()
            bound.purge()
    yield made
    made.close()


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_page_goes_its_way_on_rabbitmq(
    app: CopydeskApp, store: Store, fetched: Callable[..., int], now: datetime
) -> None:
    queue = CeleryQueue(app)
    assert queue.waiting(PROCESS) == 0
    text = "The harbour office opened a second berth on Monday, and the ferries ran on time for the first week. " * 5
    html = f"<html><head><title>Berth</title></head><body><article><h1>A berth opens</h1><p>{text}</p></article>"
    announce(queue, [fetched(f"https://news.example/{uuid4().hex}", html)])
    assert queue.waiting(PROCESS) == 1

    tick(store, queue, now, app.settings)
    assert queue.waiting(MAINTAIN) == 1, "a round of the watchman is due, and one is enough"
    tick(store, queue, now, app.settings)
    assert queue.waiting(MAINTAIN) == 1
    assert queue.forgot() is False

    command = [sys.executable, "-m", "tasks.worker", "process", "1"]
    environment = {**os.environ, **app.settings.environment()}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as worker:
        try:
            assert any(_told(store) or Event().wait(0.2) for _ in range(300)), "no change row"
            assert [name.partition("-")[0] for name in queue.workers(2.0)] == ["process"]
        finally:
            worker.terminate()
            assert worker.wait(30) == 0
    assert queue.waiting(PROCESS) == 0


def _told(store: Store) -> bool:
    with store.reading() as tx:
        return changes.last(tx) > 0


def test_the_options_of_redis_are_not_given_to_rabbitmq(tmp_path: Path) -> None:
    def options(broker: str) -> dict[str, object]:
        named = load_settings({"data": tmp_path, "broker": broker}, environ={}, file=tmp_path / "none.toml")
        found: dict[str, object] = CopydeskApp(named).conf.broker_transport_options
        return found

    assert options("amqp://guest@rabbit.example//") == {}
    assert "visibility_timeout" in options("redis://redis.example/0")


def test_the_password_of_a_broker_is_not_told(tmp_path: Path) -> None:
    url = urlsplit("amqp://ann:secret@127.0.0.1:1//")
    named = load_settings({"data": tmp_path, "broker": url.geturl()}, environ={}, file=tmp_path / "none.toml")
    assert "secret" not in CopydeskApp(named).connection_for_write().as_uri()
