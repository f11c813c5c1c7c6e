"""The dashboard on a million articles and 20,000 sources: how long does each page take, and each call of the API?

    python -m benchmarks.pages [--articles 1000000] [--sources 20000] --database postgresql|sqlite|URL

`copydesk web` is started on it and asked by somebody who is logged in; then Chromium, where there is one, tells when
it has painted each page. A database given by its URL is filled if it is empty, and stays. The last line is JSON.
"""

import argparse
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import httpx

from benchmarks.pages.fill import Scale, fill, keep_going
from benchmarks.pages.visits import Times, pages, visit
from benchmarks.pages.wording import Words, chosen, wordings
from benchmarks.servers import postgres_database
from console.web.secrets import hash_password
from storage import accounts, reading
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

GOAL_MS = 300.0
TEXTS = 5_000
_READY_S = 60.0
_PASSWORD = "a ferry at dawn"
"""Of a store that lives as long as this run."""


def main() -> int:
    """Run the benchmark; exit 1 where a page's median, of its answer or its first paint, is above the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=20_000)
    parser.add_argument("--database", default="postgresql", help="postgresql, sqlite, or the URL of a database")
    parser.add_argument("--times", type=int, default=10, help="requests of each page")
    given = parser.parse_args()
    scale = Scale(given.articles, given.sources, datetime.now(UTC).replace(microsecond=0))
    with tempfile.TemporaryDirectory() as folder, _database(given.database) as url:
        if url is None:
            sys.stdout.write("no PostgreSQL could be started here\n")
            return 1
        settings = load_settings({"data": folder, "database": url}, environ={}, file=Path(folder, "none.toml"))
        paths = pages(scale, _prepared(settings, scale))
        try:
            with _served(settings, Path(folder)) as client:
                found, painted = visit(client, paths, given.times), _painted(client, paths, given.times)
        except NotServed as error:
            sys.stdout.write(f"{error}\n")
            return 1
    return _told(found, painted, scale)


class NotServed(Exception):
    """The web server does not answer as it should."""


def _painted(client: httpx.Client, paths: Mapping[str, str], times: int) -> dict[str, float] | None:
    if importlib.util.find_spec("playwright") is None:
        return None
    from benchmarks.pages.paint import CHROMIUM, paints  # noqa: PLC0415 - Playwright comes with the tests only

    return paints(client, paths, times) if CHROMIUM.exists() else None


def _told(found: Mapping[str, Times], painted: Mapping[str, float] | None, scale: Scale) -> int:
    for name, times in sorted(found.items(), key=lambda item: item[1].median_ms):
        paint = f"{painted[name]:9.1f}" if painted and name in painted else " " * 9
        sys.stdout.write(f"{times.median_ms:9.1f} {times.worst_ms:9.1f} {paint}  {name}\n")
    slowest, worst = (max(getattr(one, name) for one in found.values()) for name in ("median_ms", "worst_ms"))
    last = max(painted.values()) if painted else None
    shown = {name: asdict(times) | {"paint_ms": (painted or {}).get(name)} for name, times in found.items()}
    figures = {"articles": scale.articles, "sources": scale.sources, "pages": shown}
    sys.stdout.write(json.dumps({**figures, "slowest_ms": slowest, "worst_ms": worst, "slowest_paint_ms": last}) + "\n")
    return 0 if max(slowest, last or 0) < GOAL_MS else 1


def _prepared(settings: Settings, scale: Scale) -> Words:
    """Fill the store unless it is, and let somebody in."""
    texts = wordings(TEXTS)
    with closing(open_store(settings)) as store:
        if not _filled(store):
            began = time.perf_counter()
            fill(store, scale, texts)
            sys.stdout.write(f"{scale.articles} articles written in {time.perf_counter() - began:.0f} s\n")
            sys.stdout.flush()
        kept = hash_password(_PASSWORD)
        store.write(lambda tx: keep_going(tx, datetime.now(UTC)))
        store.write(lambda tx: accounts.set_password(tx, "ada", kept, scale.now))
    return chosen(texts)


def _filled(store: Store) -> bool:
    with store.reading() as tx:
        return bool(reading.listed(tx, limit=1))


@contextmanager
def _database(name: str) -> Iterator[str | None]:
    """The URL of the database; `postgresql` starts a server of its own."""
    if name == "postgresql":
        with postgres_database() as url:
            yield url
        return
    yield "" if name == "sqlite" else name


@contextmanager
def _served(settings: Settings, folder: Path) -> Iterator[httpx.Client]:
    """`copydesk web` in a process of its own, and a browser that is logged in there."""
    port = _free_port()
    environment = {**os.environ, **settings.environment(), "COPYDESK_LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-P", "-m", "console", "web", "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client:
            wait_for(client, server)
            _log_in(client)
            yield client
    finally:
        server.terminate()
        server.wait()


def wait_for(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers. Raises NotServed where it ends, or does not in a minute."""
    for _ in range(int(_READY_S / 0.1)):
        if server.poll() is not None:
            raise NotServed(f"`copydesk web` did not start: it ended with exit code {server.returncode}; see above why")
        with suppress(httpx.TransportError):
            client.get("/healthz")
            return
        Event().wait(0.1)
    raise NotServed(f"`copydesk web` did not answer within {_READY_S:.0f} s")


def _log_in(client: httpx.Client) -> None:
    form = {"name": "ada", "password": _PASSWORD}
    answer = client.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    if answer.status_code != 303:
        raise NotServed(f"the log-in answered {answer.status_code}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
