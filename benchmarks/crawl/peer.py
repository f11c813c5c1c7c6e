"""Bare Scrapy on the same sites: one item for each page, nothing kept; what does not help it is switched off.

    python -m benchmarks.crawl.peer PLAN

The last line on standard output is how many items there were.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from benchmarks.crawl.town import Plan

SETTINGS: dict[str, Any] = {
    "ROBOTSTXT_OBEY": False,
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_DELAY": 0.0,
    "LOG_LEVEL": "WARNING",
    "LOGSTATS_INTERVAL": 0,
    **{f"{name}_ENABLED": False for name in ("COOKIES", "RETRY", "TELNETCONSOLE", "REFERER", "REMOTE_CONTROL")},
}


class Bare(Spider):
    """Asks for all pages, the sites in turn."""

    name = "bare"

    def __init__(self, plan: Plan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    async def start(self) -> AsyncIterator[Any]:
        """All addresses: they are known to it, while we read them from feeds."""
        origins = self.plan.origins
        for page in range(self.plan.pages):
            for site, origin in enumerate(origins):
                yield Request(f"{origin}/news/2026/03/{site * self.plan.pages + page}")

    def parse(self, response: Response, **_: Any) -> Iterator[dict[str, Any]]:
        """One item by two selectors, as tutorials show it."""
        title, text = response.css("h1::text").get(), response.css("article p::text").getall()
        yield {"url": response.url, "title": title, "text": "\n".join(text)}


def main() -> None:
    """Crawl the sites of the plan."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    process = AsyncCrawlerProcess(SETTINGS)
    crawler = process.create_crawler(Bare)
    items = 0

    def count(**_: Any) -> None:
        nonlocal items
        items += 1

    crawler.signals.connect(count, signals.item_scraped, weak=False)
    process.crawl(crawler, plan=plan)
    process.start()
    print(items)


if __name__ == "__main__":
    main()
