"""Tells webhooks of changes: signed, in order, again and again until they are taken.

The signature is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): headers `webhook-id`,
`webhook-timestamp` and `webhook-signature: v1,BASE64`, an HMAC-SHA256 over `ID.TIMESTAMP.BODY`.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.post import PostFailed, post
from storage import changes, reading, webhooks
from storage.codec import to_plain
from storage.database import Tx
from storage.locks import store_lock
from storage.records import Change
from storage.settings import Settings
from storage.store import Store
from storage.webhooks import Webhook

_BATCH = 100
"""Changes in one delivery."""
_TIMEOUT_S = 20.0
_MOST = 50
"""Deliveries to one receiver in one turn, so that others get theirs."""


def deliver(store: Store, settings: Settings, now: datetime, environ: Mapping[str, str] | None = None) -> int:
    """Tell each webhook that has news; returns how many changes were taken.

    One that fails is put off and stops no other. Raises StoreBusy.
    """
    with store.reading() as tx:
        waiting = webhooks.due(tx, now)
    return sum(_tell(store, settings, one, now, os.environ if environ is None else environ) for one in waiting)


def _tell(store: Store, settings: Settings, one: Webhook, now: datetime, environ: Mapping[str, str]) -> int:
    with store_lock(store, webhooks.reader(one.name)) as mine:  # two deliveries at once would be out of order
        if not mine:
            return 0
        begun = one.seq
        for _ in range(_MOST):
            moved = _next(store, settings, one, now, environ)
            if moved is None:
                break
            one = moved
        return one.seq - begun


def _next(store: Store, settings: Settings, one: Webhook, now: datetime, environ: Mapping[str, str]) -> Webhook | None:
    """Deliver one batch; returns the webhook as it stands then, None where there is no more to do."""
    with store.reading() as tx:
        current = next((each for each in webhooks.listed(tx) if each.name == one.name), None)
        rows = changes.read(tx, current.seq, _BATCH) if current else []
        body = _body(tx, current, rows) if current and rows else b""
    if current is None or not rows:
        return None
    try:
        _send(settings, current, rows, body, now, environ)
    except PostFailed as error:
        problem = str(error)
        store.write(lambda tx: webhooks.failed(tx, current, problem, now))
        return None
    store.write(lambda tx: webhooks.taken(tx, current, rows[-1].seq, now))
    with store.reading() as tx:
        return next((each for each in webhooks.listed(tx) if each.name == one.name), None)


def _send(
    settings: Settings, one: Webhook, rows: Sequence[Change], body: bytes, now: datetime, environ: Mapping[str, str]
) -> None:
    secret = environ.get(one.secret_variable, "")
    if not secret:
        raise PostFailed(f"the environment variable {one.secret_variable} with its secret is not set")
    # the same batch has the same id however often it is sent, so that a receiver can tell what it has taken already
    headers = signed(f"{one.name}-{rows[0].seq}-{rows[-1].seq}", body, secret, now)
    headers |= {"Content-Type": "application/json", "User-Agent": settings.agent}
    post(one.url, body, headers, timeout_s=_TIMEOUT_S, allowed=settings.allow_addresses)


def signed(identity: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The three headers of a signed delivery. A secret `whsec_BASE64` stands for its bytes, any other for itself."""
    at = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    mac = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": signature}


def _body(tx: Tx, one: Webhook, rows: Sequence[Change]) -> bytes:
    told: list[dict[str, Any]] = [{"seq": row.seq, **to_plain(row)} for row in rows]
    if one.with_articles:
        ids = sorted({row.article_id for row in rows})
        known = {found.id: reading.to_json(found) for found in reading.some(tx, ids)}
        for row in told:
            row["article"] = known.get(row["article_id"])
    return json.dumps({"changes": told, "next": rows[-1].seq}, ensure_ascii=False).encode("utf-8", "replace")
