"""When a real browser has painted a page: the first contentful paint, as the Paint Timing specification has it."""

import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
_PAINTED = """() => new Promise(done => new PerformanceObserver(seen => {
  const first = seen.getEntriesByName('first-contentful-paint')[0]; if (first) done(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
_NOT_HTML = ("/api/", "/metrics", "/readyz")


def paints(client: httpx.Client, paths: Mapping[str, str], times: int) -> dict[str, float]:
    """Milliseconds from the start of the navigation to the first contentful paint, the median of each page of HTML.

    As the one who is logged in with `client`; style sheets and scripts are in the browser's cache but for the first.
    """
    shown = {name: path for name, path in paths.items() if not path.startswith(_NOT_HTML)}
    with _browser() as browser:
        context = browser.new_context(base_url=str(client.base_url))
        context.add_cookies([{"name": k, "value": v, "url": str(client.base_url)} for k, v in client.cookies.items()])
        page = context.new_page()
        page.goto("/")
        return {
            name: round(statistics.median(_paint(page, path) for _ in range(times)), 1) for name, path in shown.items()
        }


def _paint(page: Page, path: str) -> float:
    answer = page.goto(path, wait_until="load")
    if answer is None or not answer.ok:
        raise RuntimeError(f"{path}: the browser got {answer.status if answer else 'no answer'}")
    return float(page.evaluate(_PAINTED))


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()
