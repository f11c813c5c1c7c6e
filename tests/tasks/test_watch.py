"""Operators are told of a condition once, and once more when it is over; at night nobody is woken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from storage import alerts, consumers, events, sources
from storage.errors import SettingsError
from storage.records import EventKind, SourceConfig
from storage.settings import Settings
from storage.store import Store
from tasks.process import process_pages
from tasks.quiet import is_quiet
from tasks.watch import conditions, sender, watch


class Inbox:
    """Takes messages, or is out of reach."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.reached = True

    def __call__(self, title: str, text: str) -> bool:
        if self.reached and text:
            self.titles.append(title)
        return self.reached


@pytest.fixture
def quiet(store: Store, now: datetime) -> Callable[[bool], None]:
    """Lets a source go quiet, or be heard again."""
    config = SourceConfig(name="harbour", url="https://harbour.example/feed")
    add = {"site": "harbour.example", "now": now + timedelta(days=300), "interval_s": 300}
    source = store.write(lambda tx: sources.add(tx, config, **add))  # type: ignore[arg-type]

    def turn(begin: bool) -> None:
        if begin:
            store.write(lambda tx: events.begin(tx, EventKind.QUIET, "no news for 9 h", now, source.id))
        else:
            store.write(lambda tx: events.end(tx, EventKind.QUIET, now, source.id))

    return turn


def test_one_message_a_condition_and_one_when_it_is_over(
    store: Store, settings: Settings, now: datetime, quiet: Callable[[bool], None]
) -> None:
    inbox = Inbox()
    quiet(True)
    assert [watch(store, settings, now + timedelta(minutes=step), inbox) for step in range(3)] == [1, 0, 0]
    quiet(False)
    assert [watch(store, settings, now + timedelta(minutes=step), inbox) for step in (3, 4)] == [1, 0]
    assert inbox.titles == ["Copydesk: quiet:harbour", "Resolved: quiet:harbour"]


def test_what_does_not_get_through_is_sent_again(
    store: Store, settings: Settings, now: datetime, quiet: Callable[[bool], None]
) -> None:
    inbox = Inbox()
    quiet(True)
    inbox.reached = False
    assert watch(store, settings, now, inbox) == 0
    inbox.reached = True
    assert watch(store, settings, now, inbox) == 1


def test_in_quiet_hours_news_wait_and_what_passes_by_itself_is_never_told(
    store: Store, settings: Settings, now: datetime, quiet: Callable[[bool], None]
) -> None:
    inbox, night = Inbox(), replace(settings, quiet_hours="11:00-13:00")
    quiet(True)
    assert watch(store, night, now, inbox) == 0
    assert watch(store, night, now + timedelta(hours=2), inbox) == 1
    quiet(False)
    watch(store, night, now + timedelta(hours=2), inbox)
    quiet(True)
    watch(store, night, now, inbox)
    quiet(False)
    assert watch(store, night, now + timedelta(hours=2), inbox) == 0


def test_a_reader_that_does_not_read_is_a_condition(
    store: Store, settings: Settings, now: datetime, fetched: Callable[..., int]
) -> None:
    body = "<article><h1>Ferry returns</h1><p>" + " ".join(f"word{place}" for place in range(60)) + "</p></article>"
    process_pages(store, [fetched("https://harbour.example/a", body)], clock=lambda: now, recipes={}, settings=settings)
    store.write(lambda tx: consumers.add(tx, "mart", now))
    with store.reading() as tx:
        assert "lag:mart" not in dict(conditions(tx, settings, now + timedelta(minutes=29)))
        assert "1 rows behind" in dict(conditions(tx, settings, now + timedelta(minutes=31)))["lag:mart"]


def test_work_that_stands_still_is_a_condition(
    store: Store, settings: Settings, now: datetime, fetched: Callable[..., int]
) -> None:
    fetched("https://harbour.example/a", "<p>text</p>")
    with store.reading() as tx:
        assert "stalled:pages" in dict(conditions(tx, settings, now + timedelta(minutes=15)))


def test_a_full_disk_is_a_condition(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Room:
        total, free = 100_000_000, 4_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Room)
    with store.reading() as tx:
        assert "4 MB are left" in dict(conditions(tx, settings, now))["disk"]


def test_messages_go_out_through_apprise(settings: Settings) -> None:
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    told = replace(settings, alerts=("PAGER", "ABSENT"))
    send = sender(told, {"PAGER": f"json://127.0.0.1:{server.server_address[1]}/"})
    assert send("Copydesk: quiet:harbour", "no news for 9 h")
    server.shutdown()
    server.server_close()
    assert b"quiet:harbour" in taken[0]


def test_without_an_address_nothing_is_sent(settings: Settings) -> None:
    assert sender(settings, {})("title", "text")


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ("", "03:00", False),
        ("22:00-07:00", "23:30", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("22:00-07:00 Europe/Berlin", "20:30", True),  # 22:30 there in summer
        ("12:00-13:00", "12:30", True),
    ],
)
def test_quiet_hours(hours: str, at: str, quiet: bool) -> None:
    moment = datetime.fromisoformat(f"2026-07-01T{at}:00").replace(tzinfo=UTC)
    assert is_quiet(hours, moment) is quiet


@pytest.mark.parametrize("hours", ["at night", "25:00-07:00", "22:00-07:00 Nowhere/Land"])
def test_wrong_quiet_hours_are_named(hours: str, now: datetime) -> None:
    with pytest.raises(SettingsError, match="quiet_hours must be as"):
        is_quiet(hours, now)


def test_alerts_are_listed(store: Store, now: datetime) -> None:
    store.write(lambda tx: alerts.sync(tx, {"disk": "full"}, now))
    with store.reading() as tx:
        assert [(one.condition, one.told_at) for one in alerts.listed(tx)] == [("disk", None)]
