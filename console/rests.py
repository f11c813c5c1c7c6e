"""What to tell a person of a site that may not be asked now, and of a crawl that says not who it is."""

from datetime import datetime

from storage.records import Site
from storage.settings import Settings

_WHY = {
    "delay": "is given the time that it wants between two requests",
    "retry_after": "asked to be left alone (Retry-After)",
    "overloaded": "said that it is overloaded",
    "blocked_page": "showed block pages instead of its own",
    "host_down": "could not be reached",
    "outage": "could not be reached, like others: our own network was down",
    "crawl_failed": "made a crawl fail",
}


def resting(site: Site | None, now: datetime) -> str:
    """Why a site rests and until when, to be read after its name; empty where it may be asked."""
    if site is None or site.blocked_until is None or site.blocked_until <= now:
        return ""
    why = _WHY.get(site.blocked_for or "", "is left alone")
    return f"{why}: nobody asks it before {site.blocked_until:%Y-%m-%d %H:%M:%S} UTC"


def no_contact(settings: Settings) -> str | None:
    """A word of warning where sites cannot tell whom to write to about the crawl."""
    if settings.contact or all(_is_loopback(address) for address in settings.allow_addresses or ("",)):
        return None
    return "sites cannot reach you: set contact to an address or URL, which goes into the user agent"


def _is_loopback(address: str) -> bool:
    return address.startswith(("127.", "[::1]"))
