"""A crawl inside the process that asks for it, with a downloader of its own."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import HtmlResponse

from crawler.run import crawl_here
from storage import sites, sources
from storage.records import SourceConfig, SourceKind
from storage.settings import load_settings
from storage.store import open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PAGES = {
    "https://www.a.example/x": (302, {"Location": "https://b.example/y"}, b""),
    "https://b.example/y": (200, {"Content-Type": "text/html"}, b"<p>There"),
    "https://www.a.example/z": (302, {"Location": "http://169.254.169.254/"}, b""),
}


class Recorded(BaseDownloadHandler):
    lazy = False

    async def download_request(self, request):
        print("asked", request.url, file=sys.stderr)
        status, headers, body = PAGES.get(request.url, (404, {}, b""))
        return HtmlResponse(request.url, status=status, headers=headers, body=body)

    async def close(self):
        pass


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    settings = load_settings({"data": folder, "delay_s": 0.0, "log_level": "ERROR"}, {}, folder / "none.toml")
    store = open_store(settings)

    def claim(tx, room):
        return sites.claim(tx, "me", NOW, lease=timedelta(minutes=1), limit=room)

    for url in ("https://www.a.example/x", "https://www.a.example/z"):
        config = SourceConfig(name=url, url=url, kind=SourceKind.PAGE)
        store.write(lambda tx: sources.add(tx, config, site="a.example", now=NOW, interval_s=60))
    store.write(lambda tx: claim(tx, 9))
    handlers = {"http": Recorded, "https": Recorded}
    well = crawl_here(settings, store, "me", extra={"DOWNLOAD_HANDLERS": handlers}, now=lambda: NOW, refill=claim)
    sys.exit(0 if well else 1)
"""


def test_recorded_exchanges_are_crawled_by_the_same_rules(tmp_path: Path) -> None:
    script = tmp_path / "recorded.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    asked = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("asked") and "robots" not in line]
    assert sorted(asked) == ["https://b.example/y", "https://www.a.example/x", "https://www.a.example/z"]
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["done"] == {"sites": 2, "poll_ok": 2, "redirected": 1, "blocked_address": 1, "fetched": 1}
