"""Reading a listing that was fetched, off the event loop."""

import asyncio
import logging

from crawler.answers import Answer
from crawler.dates import zone_of
from crawler.discovery import Listing, discover
from crawler.shapes import NOTHING, Shapes
from storage.errors import DiscoveryError
from storage.records import SourceKind

log = logging.getLogger(__name__)


async def read_listing(answer: Answer, expected: SourceKind, shapes: Shapes = NOTHING, zone: str = "UTC") -> Listing:
    """What a listing names; its dates without a zone are of `zone` (IANA name).

    A large sitemap takes seconds, so it is read in a thread. Raises DiscoveryError.
    """
    kind = answer.header("content-type")
    facts = {"url": answer.url, "now": answer.at, "content_type": kind, "expected": expected}
    facts |= {"shapes": shapes, "zone": zone_of(zone)}
    try:
        return await asyncio.to_thread(discover, answer.body, **facts)  # type: ignore[arg-type]
    except DiscoveryError:
        raise
    except Exception as error:  # whatever one feed holds, its site's other feeds and pages must go on
        log.exception("%s could not be read", answer.url)
        raise DiscoveryError("internal_error", f"{type(error).__name__}: {error}") from error
