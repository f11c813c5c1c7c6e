"""What `copydesk sources probe` shows: an offer as facts and tables, and the source entry that follows from it."""

import json
from typing import Any

import click

from console.render import print_facts, print_table
from crawler.offer import Offer, Offered


def print_offer(offer: Offer) -> None:
    """The offer for a person."""
    rules = offer.rules
    facts: list[tuple[str, Any]] = [("address", offer.url)]
    facts += [("answered", offer.answered)] if offer.answered != offer.url else []
    facts.append(("robots.txt", f"{_access(offer)} (status {rules.status})" if rules else "could not be fetched"))
    facts += [("crawl-delay", f"{rules.crawl_delay_s:g} s")] if rules and rules.crawl_delay_s else []
    facts += [(f"{one.name} ({one.where})", one.value) for one in offer.signals]
    facts += [("could not be read", f"{url}: {code}") for url, code in offer.failed]
    print_facts(facts)
    if offer.listings:
        click.echo()
        head = ("kind", "entries", "a day", "newest", "push", "url")
        rows = [(o.kind, o.entries, o.per_day, o.newest_at, "yes" if o.hub else "", o.url) for o in offer.listings]
        print_table(head, rows)
    click.echo()


def entry_of(offer: Offer, best: Offered) -> str:
    """The source entry as TOML, with what speaks for it as comments."""
    rate = f"{best.per_day:g} new entries a day" if best.per_day is not None else "rate unknown"
    lines = [f"# {best.kind}: {best.entries} entries, {rate}"]
    lines += [f"# {_line(one.name)} ({one.where}): {_line(one.value)}" for one in offer.signals]
    lines += ["[[source]]", f"url = {_quoted(best.url)}", f"kind = {_quoted(best.source_kind.value)}"]
    return "\n".join(lines)


def _access(offer: Offer) -> str:
    return "allows this address" if offer.rules and offer.rules.allowed else "disallows this address"


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    # a JSON string is a TOML basic string (toml.io, "String") as long as it holds no DEL, which no address does
    return json.dumps(text, ensure_ascii=False)
