"""The probe process: asks one site what it offers, under the same guard, robots and limits as a crawl.

    python -m crawler.probe --owner OWNER URL

On standard output `{"offer": {…}}`, or `{"busy": SITE}` where another process works on the site or it is to be left
alone; then what `crawler.run` tells. Nothing is added to the store but what was learned of the site's robots and pace.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.offer import Offer
from crawler.run import crawl_here, die_with_parent
from crawler.urls import site_of
from storage import sites
from storage.codec import from_plain, to_plain
from storage.errors import CopydeskError, StoreBusy
from storage.settings import load_settings
from storage.store import open_store

LONGEST_S = 300.0


def probe(url: str, environment: Mapping[str, str], *, longest_s: float = LONGEST_S) -> Offer:
    """Probe `url` in a process of its own, with these COPYDESK_* variables; blocks until it is done.

    Raises StoreBusy when the site may not be asked now, CopydeskError when the process failed or took longer.
    """
    home = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    owner = f"probe-{socket.gethostname()[:50]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-P", "-m", "crawler.probe", "--owner", owner, url]
    told: dict[str, Any] = {}
    try:
        said = _said(command, {**os.environ, **environment, "PYTHONPATH": path}, longest_s)
    except subprocess.TimeoutExpired as error:
        _give_back(environment, owner)
        raise CopydeskError(f"the probe of {url} took more than {longest_s:g} s, and was ended") from error
    for line in said.splitlines():
        told |= json.loads(line)
    if "busy" in told:
        raise StoreBusy(f"{told['busy']} is being crawled, or wants to be left alone, just now; try again in a minute")
    if "offer" not in told:
        raise CopydeskError(f"the probe of {url} failed, see above")
    return from_plain(Offer, told["offer"])


def _said(command: Sequence[str], environment: Mapping[str, str], longest_s: float) -> str:
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            return process.communicate(timeout=longest_s)[0]
        except BaseException:
            process.kill()
            raise


def _give_back(environment: Mapping[str, str], owner: str) -> None:
    store = open_store(load_settings(environ=environment), create=False)
    try:
        store.write(lambda tx: sites.release(tx, owner, [site.key for site in sites.held(tx, owner)]))
    finally:
        store.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the probe process; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m crawler.probe", description="Ask a site what it offers.")
    parser.add_argument("--owner", required=True, help="the owner of the lease")
    parser.add_argument("url")
    words = parser.parse_args(argv)
    die_with_parent()
    settings = load_settings()
    store = open_store(settings, create=True)
    try:
        key, lease = site_of(words.url), timedelta(seconds=settings.lease_s)
        site = store.write(lambda tx: sites.borrow(tx, words.owner, key, datetime.now(UTC), lease=lease))
        if site is None:
            _tell({"busy": key})
            return 0
        return 0 if crawl_here(settings, store, words.owner, errand=lambda visit: _ask(visit, words.url)) else 1
    finally:
        store.close()


async def _ask(visit: Any, url: str) -> None:
    from crawler.survey import Survey  # noqa: PLC0415 - brings Scrapy, which only this process needs

    _tell({"offer": to_plain(await Survey(visit, url).run())})


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
