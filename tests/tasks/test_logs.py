"""Each program of ours, run as a process, tells what happens in one line per event, without secrets."""

import ast
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis

from storage.logs import JsonLine, TextLine, telling, working
from storage.settings import Settings, load_settings
from storage.store import open_store
from tasks.app import PROCESS_PAGES, CopydeskApp
from tasks.queue import CeleryQueue

ROOT = Path(__file__).parents[2]
NAMES = {"at", "level", "action", "message", "logger"}
Event = dict[str, Any]


@pytest.fixture
def quiet_place(tmp_path: Path, valkey_url: str) -> Settings:
    """A store in a folder and a broker, with a log of JSON."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
    options = {"data": tmp_path, "broker": valkey_url, "log_format": "json", "log_level": "DEBUG", "tick_s": 0.2}
    settings = load_settings(options, environ={}, file=tmp_path / "none.toml")
    open_store(settings).close()
    return settings


def start(settings: Settings, *words: str) -> "subprocess.Popen[str]":
    environment = os.environ | settings.environment() | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def events(process: "subprocess.Popen[str]") -> Iterator[Event]:
    """Each line as it comes; one that is no event fails the test."""
    assert process.stderr is not None
    for line in process.stderr:
        event = json.loads(line)
        assert event.keys() >= NAMES, event
        yield event


def wait_for(told: Iterator[Event], true: Callable[[Event], object]) -> Event:
    return next(event for event in told if true(event))


def test_a_worker(quiet_place: Settings) -> None:
    with start(quiet_place, "tasks.worker", "process", "1") as worker:
        told = events(worker)
        wait_for(told, lambda event: "ready" in event["message"])
        CeleryQueue(CopydeskApp(quiet_place)).send(PROCESS_PAGES, [41])
        page = wait_for(told, lambda event: event["action"] == "page_processed")
        batch = wait_for(told, lambda event: event["action"] == "processed")
        worker.send_signal(signal.SIGTERM)
        rest = list(told)
    assert (page["page"], page["outcome"], batch["pages"]) == (41, "skipped", [41])
    assert page["run"] == batch["run"]
    assert {event["run"] for event in rest} != {batch["run"]}, "the worker's own lines are not of that message"


def test_a_scheduler(quiet_place: Settings) -> None:
    with start(quiet_place, "tasks.schedule") as scheduler:
        told = events(scheduler)
        tick = wait_for(told, lambda event: event["action"] == "tick")
        scheduler.send_signal(signal.SIGTERM)
        assert all(event["run"] == tick["run"] for event in told)
    assert tick["run"].startswith("scheduler-")
    assert tick["claimable"] == 0


@pytest.mark.parametrize("words", [("tasks.schedule",), ("tasks.worker", "process")], ids=lambda words: words[0])
def test_one_that_cannot_start_says_so_without_the_password(tmp_path: Path, words: tuple[str, ...]) -> None:
    options = {"data": tmp_path, "log_format": "json", "database": "postgresql://desk:s3cret@127.0.0.1:9/news"}
    with start(load_settings(options, environ={}, file=tmp_path / "none.toml"), *words) as process:
        [event] = events(process)
    assert (event["action"], event["level"]) == ("not_started", "CRITICAL")
    assert process.returncode == 1


class _Paper(BaseHTTPRequestHandler):
    """Serves one page at any address but robots.txt."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Ferry</title><p>The crews went back to work.")

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def paper() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Paper) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_crawl_names_run_site_and_page(quiet_place: Settings, paper: str) -> None:
    origin = {**quiet_place.origin, "allow_addresses": "test", "delay_s": "test"}
    given = replace(quiet_place, allow_addresses=(paper,), delay_s=0.0, origin=origin)
    with start(given, "console.cli", "crawl", f"http://{paper}/ferry", "--wait", "0") as crawl:
        told = list(events(crawl))
    fetched = [event for event in told if event.get("site") == paper and "page" in event]
    [processed] = [event for event in told if event["action"] == "page_processed"]
    assert fetched
    assert {event["page"] for event in fetched} == {processed["page"]}
    assert len({event["run"] for event in fetched}) == 1


def test_the_web_server_names_each_request_and_masks_passwords(quiet_place: Settings) -> None:
    with start(quiet_place, "console.cli", "web", "--port", "0") as web:
        told = events(web)
        ready = wait_for(told, lambda event: "running on" in event["message"])
        address = ready["message"].partition("running on ")[2].split()[0]
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}/nothing?of=https://desk:s3cret@news.example/")
        event = wait_for(told, lambda event: event["action"] == "request")
        web.send_signal(signal.SIGINT)
        rest = list(told)
    assert (event["method"], event["status"], len(event["request"])) == ("GET", 404, 12)
    assert "s3cret" not in json.dumps(event)
    assert "desk:***@news.example" in event["path"]
    assert rest[-1]["run"].startswith("web-")


def test_what_nobody_caught_is_one_line(tmp_path: Path) -> None:
    code = """
from storage.settings import load_settings
from tasks.logs import set_up
import threading, warnings
set_up(load_settings(), run="r1")
warnings.warn("old ways")
lost = threading.Thread(target=lambda: 1 / 0)
lost.start()
lost.join()
raise OSError("no way to https://desk:s3cret@news.example/")"""
    environment = os.environ | {"COPYDESK_LOG_FORMAT": "json", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [event["action"] for event in told] == ["warning", "crashed", "crashed"]
    assert [event.get("run") for event in told] == ["r1", None, "r1"], "a thread has work of its own"
    assert "ZeroDivisionError" in told[1]["error"]
    assert "s3cret" not in ran.stderr
    assert ran.returncode == 1


def record(message: str, *arguments: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("tasks.process", logging.WARNING, "f", 1, message, arguments, None)
    vars(made).update(more)
    return made


def test_text_is_one_line_too_whatever_an_address_holds() -> None:
    with working(run="r1", page=7):
        told = TextLine().format(record("no\r\nINFO forged: %s", "a\nb", **telling("page_failed", note='say "no"')))
    assert told[24:] == ' WARNING page_failed run=r1 page=7 note="say \\"no\\"": no | INFO forged: a | b'
    assert "Z WARNING tasks: hello" in TextLine().format(record("hello"))


def test_json_keeps_facts_and_masks_them() -> None:
    made = json.loads(JsonLine().format(record("x", **telling("asked", url="https://u:s3cret@a.example/", pages=[1]))))
    assert (made["url"], made["pages"], made["action"]) == ("https://u:***@a.example/", [1], "asked")


def test_each_logging_call_of_ours_names_its_action() -> None:
    ours = [file for package in ("storage", "crawler", "tasks", "console") for file in (ROOT / package).rglob("*.py")]
    assert [line for file in ours for line in _bare(file)] == []


def _bare(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and _logs(node) and not any(word.arg == "extra" for word in node.keywords):
            yield f"{file.relative_to(ROOT)}:{node.lineno}"


def _logs(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute):
        return False
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    return ast.unparse(node.func.value) in ("log", "_log") and node.func.attr in levels


@pytest.mark.parametrize("pair", [("log_format", "xml"), ("log_level", "loud")], ids=lambda pair: pair[0])
def test_other_words_are_refused(pair: tuple[str, str]) -> None:
    environment = os.environ | {f"COPYDESK_{pair[0].upper()}": pair[1], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "console.cli", "settings"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert f"{pair[0]} must be one of" in ran.stderr
