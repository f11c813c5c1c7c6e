"""What hubs send: the check whether we meant it, and news of a topic, which becomes candidates like those of a poll."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from datetime import datetime

from crawler.crowding import MOST_WAITING, with_room
from crawler.dates import zone_of
from crawler.discovery import discover
from crawler.leads import leads_of
from crawler.websub import is_signed, lease_of
from storage import pages, sources, subscriptions
from storage.database import Tx
from storage.errors import DiscoveryError
from storage.logs import telling
from storage.records import SourceKind
from storage.store import Store
from storage.subscriptions import ACTIVE, DENIED

log = logging.getLogger(__name__)


def verify(store: Store, token: str, parameters: Mapping[str, str], now: datetime) -> str | None:
    """The challenge to be echoed when a hub asks whether we meant to subscribe (section 5.3); None if we did not.

    A refusal by the hub (`hub.mode=denied`) is noted, and answered with an empty challenge. Nobody ever unsubscribes
    here: a lease that is not wanted runs out.
    """
    with store.reading() as tx:
        known = subscriptions.of_token(tx, token)
    if known is None or parameters.get("hub.topic") != known.topic:
        return None
    if parameters.get("hub.mode") == "denied":
        store.write(lambda tx: subscriptions.change(tx, known.source_id, state=DENIED))
        return ""
    challenge = parameters.get("hub.challenge", "")
    if parameters.get("hub.mode") != "subscribe" or not challenge:
        return None
    values = {"state": ACTIVE, "verified_at": now, "lease_until": now + lease_of(parameters), "failures": 0}
    store.write(lambda tx: subscriptions.change(tx, known.source_id, **values))
    return challenge


def deliver(
    store: Store, token: str, body: bytes, *, signature: str | None, content_type: str | None, now: datetime
) -> str:
    """Take in what a hub pushed; returns what became of it.

    `accepted`: its candidates are committed. `unknown`: no subscription of ours. `bad_signature`: counted and ignored
    (section 7.1). Else the code of a body that could not be read; the next poll will see what it was about.
    """
    with store.reading() as tx:
        known = subscriptions.of_token(tx, token)
        source = sources.by_id(tx, known.source_id) if known else None
    if known is None or source is None or not hmac.compare_digest(known.token, token):
        return "unknown"
    if not is_signed(known.secret, signature, body):
        more = telling("push_refused", source=source.config.name)
        log.warning("%s: a delivery with a wrong signature was ignored", source.config.name, extra=more)
        refused = known.refused + 1
        store.write(lambda tx: subscriptions.change(tx, known.source_id, refused=refused))
        return "bad_signature"
    try:
        listing = discover(
            body,
            url=known.topic,
            now=now,
            content_type=content_type,
            expected=SourceKind.FEED,
            zone=zone_of(source.config.timezone),
        )
    except DiscoveryError as error:
        more = telling("push_unreadable", source=source.config.name)
        log.warning("%s: a delivery could not be read: %s", source.config.name, error, extra=more)
        return error.code
    leads = leads_of(listing.candidates, source.config).kept

    def write(tx: Tx) -> None:
        pages.discover(tx, source.id, with_room(tx, leads, most=MOST_WAITING), now, priority=source.config.priority)
        subscriptions.change(tx, source.id, pushed_at=now)

    store.write(write)
    return "accepted"
