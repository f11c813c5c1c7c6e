"""What is needed for pages that a browser has to show, and is not installed unless asked for."""

from importlib.util import find_spec

NO_BROWSER = (
    "render = true needs the extra 'render' and a Chromium: pip install 'scrapy-playwright>=0.0.44', then "
    "'playwright install chromium' or the system's package chromium"
)


def can_render() -> bool:
    """Whether the extra `render` is installed."""
    return all(find_spec(name) is not None for name in ("playwright", "scrapy_playwright"))
