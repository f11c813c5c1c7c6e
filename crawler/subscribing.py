"""Asking hubs for pushes, after a poll that named one."""

from __future__ import annotations

import secrets
from urllib.parse import urljoin

from crawler.addresses import refusal
from crawler.answers import Trouble
from crawler.urls import site_of
from crawler.visit import Visit
from crawler.websub import callback_of, is_due, request_form
from storage import subscriptions
from storage.records import Source
from storage.subscriptions import Subscription


async def keep_subscribed(visit: Visit, source: Source, hub: str | None, topic: str | None) -> Subscription | None:
    """Subscribe, or renew what is due, and return the subscription as it stood before.

    `hub` and `topic` are what the poll named; None (after a 304) stands for what is known. Nothing is asked for where
    the settings name no public address. The row is committed before the hub is asked, as it may call back at once.
    """
    bench = visit.bench
    if not bench.settings.public_url:
        return None
    known = await bench.ledger.look(lambda tx: subscriptions.of_source(tx, source.id))
    named, now = hub or (known.hub if known else None), bench.now()
    if named is None:
        return known
    wanted = urljoin(source.config.url, named)
    about = urljoin(source.config.url, topic or (known.topic if known else ""))
    if not is_due(known, wanted, about, now):
        return known
    token, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    asked = await bench.ledger.do(
        lambda tx: subscriptions.ask(tx, source.id, hub=wanted, topic=about, token=token, secret=secret, now=now)
    )
    problem = await _post(visit, asked)
    failures = asked.failures + 1 if problem else 0
    await bench.ledger.do(lambda tx: subscriptions.change(tx, source.id, failures=failures))
    bench.ledger.tally["websub_failed" if problem else "websub_asked"] += 1
    return known


async def _post(visit: Visit, asked: Subscription) -> str | None:
    """Ask the hub; returns why it did not take it. Hub and callback go through the guard like all addresses."""
    settings = visit.bench.settings
    callback = callback_of(settings.public_url, asked.token)
    for url in (asked.hub, callback):
        if code := refusal(url, settings.allow_addresses):
            return code
    site = site_of(asked.hub)
    # robots.txt speaks to who looks for content; a hub is a service that the feed itself sends us to
    async with visit.bench.guests.enter(site) as host:
        if host is None:
            return "site_busy"
        answer = await visit.bench.fetcher.get(asked.hub, site=site, form=request_form(asked, callback))
    if isinstance(answer, Trouble):
        return answer.code
    return None if 200 <= answer.status < 300 else f"http_{answer.status}"
