"""`copydesk sources`: which sources are watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.params import Duration, pairs, source_names
from console.progress import progress_bar
from console.render import print_facts, print_json, print_table
from console.words import span, when

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Source, SourceConfig
    from storage.settings import Settings
    from storage.store import Store

_AT_ONCE = 2000
"""Sources added in one transaction of an import."""


@click.group()
def command() -> None:
    """Say which sources are watched, and see how each fares.

    \b
    Example:
      copydesk sources add https://news.example/feed.xml --every 10m
      copydesk sources probe https://news.example/
      copydesk sources import subscriptions.opml
      copydesk sources list
    """


@command.command()
@click.argument("url")
@click.option("--name", help="Name of the source (default: made of host and path).")
@click.option(
    "--kind",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "feed", "sitemap", "section", "page"]),
    help="What the address serves; auto finds out by the content.",
)
@click.option("--every", type=Duration(), help="Poll at this fixed interval instead of a learned one.")
@click.option("--cron", help="Poll at these times instead (five fields).")
@click.option("--timezone", help="IANA time zone of --cron and of dates without a zone (default: UTC).")
@click.option("--language", help="Language of its articles, where they do not say.")
@click.option("--publisher", help="Publisher of its articles, where they do not say.")
@click.option("--include", multiple=True, metavar="REGEX", help="Take only addresses that match one of these.")
@click.option("--exclude", multiple=True, metavar="REGEX", help="Leave out addresses that match one of these.")
@click.option("--recipe", help="Name of a site recipe.")
@click.option("--priority", type=int, default=0, show_default=True, help="Higher goes first among a site's pages.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Send this header.")
@click.option("--cookie", "cookies", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Send this cookie.")
@click.option("--basic", metavar="VARIABLE", help="Environment variable that holds USER:PASSWORD.")
@click.option("--bearer", metavar="VARIABLE", help="Environment variable that holds a bearer token.")
@click.option("--proxy", metavar="URL", help="Go through this proxy, one of those in the setting proxies.")
@click.option("--render", is_flag=True, help="Read its pages after a browser ran their scripts (extra 'render').")
@click.option("--delay", type=float, metavar="SECONDS", help="Least time between two requests to its site.")
@click.option("--concurrency", type=int, default=1, show_default=True, help="Requests to its site at the same time.")
@click.option(
    "--keep", "retention", multiple=True, metavar="KIND=DAYS", callback=pairs, help="Days to keep archive, polls…"
)
@click.option("--replace", is_flag=True, help="Replace a source of the same name.")
@pass_desk
def add(desk: Desk, replace: bool, **entry: Any) -> None:
    """Watch a feed, sitemap, section page or single page at URL; it is due at once.

    Headers, cookies and credentials are sent to the source's own site only. A value env:NAME stands for what the
    environment variable NAME holds when it is sent, and so does ${NAME} in the log-in of a proxy; credentials are never
    stored. docs/sources.md explains each option.

    \b
    Example:
      copydesk sources add https://news.example/feed.xml
      copydesk sources add https://news.example/politics --kind section --every 30m --name politics
      copydesk sources add https://news.example/members.xml --bearer NEWS_TOKEN --delay 5 --keep archive=30
    """
    from console.watching import watch
    from crawler.extras import NO_BROWSER, can_render
    from crawler.importing import source_config

    config = source_config({key: value for key, value in entry.items() if value is not None}, "sources add")
    with desk.store(create=True) as store:
        added = store.write(lambda tx: watch(tx, config, desk.settings(), replace=replace))
    click.echo(f"added {added.config.name}: due now; 'copydesk crawl {added.config.name}' fetches it")
    if config.render and not can_render():
        click.echo(f"copydesk: its pages will wait: {NO_BROWSER}", err=True)


@command.command()
@click.argument("url")
@click.option("--add", "and_add", is_flag=True, help="Watch the best that was found.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def probe(desk: Desk, url: str, and_add: bool, as_json: bool) -> None:
    """Ask a site what it offers, and print the source entry for the best of it.

    Looks at robots.txt, the address, the feeds and sitemaps that these announce, and at what the site says about
    licences and text and data mining. It asks as politely as a crawl does. Exit 1 when there is nothing to watch.

    \b
    Example:
      copydesk sources probe https://news.example/
      copydesk sources probe https://news.example/ --add
    """
    from console.probing import entry_of, print_offer
    from console.views import whole
    from console.watching import watch
    from crawler.probe import probe as ask
    from crawler.source_entry import source_config

    source_config({"url": url}, "sources probe")
    with probing_environment(desk) as environment:
        offer = ask(url, environment)
    if as_json:
        print_json(whole(offer), lines=False)
    else:
        print_offer(offer)
    if offer.best is None:
        click.echo("copydesk: nothing there to watch", err=True)
        click.get_current_context().exit(1)
    if not as_json:
        click.echo(entry_of(offer, offer.best))
    if and_add:
        entry = {"url": offer.best.url, "kind": offer.best.source_kind.value}
        with desk.store(create=True) as store:
            added = store.write(
                lambda tx: watch(tx, source_config(entry, "sources probe"), desk.settings(), replace=False)
            )
        click.echo(f"added {added.config.name}: due now; 'copydesk crawl {added.config.name}' fetches it", err=as_json)


@contextmanager
def probing_environment(desk: Desk) -> Iterator[dict[str, str]]:
    """The variables for a probe: of the store, whose leases and robots it shares, or of one that is thrown away."""
    from tempfile import TemporaryDirectory

    from storage.errors import NotFound

    settings = desk.settings()
    try:
        with desk.store():
            pass
    except NotFound:
        with TemporaryDirectory(prefix="copydesk-probe-") as folder:
            yield {**settings.environment(), "COPYDESK_DATA": folder, "COPYDESK_DATABASE": ""}
        return
    yield settings.environment()


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace sources of the same name.")
@click.option("--skip-bad", is_flag=True, help="Leave bad entries out instead of refusing the whole file.")
@pass_desk
def import_(desk: Desk, files: tuple[Path, ...], replace: bool, skip_bad: bool) -> None:
    """Watch all sources of TOML, OPML or CSV files. A file with a bad entry is refused as a whole.

    \b
    A TOML file has an entry like this for each source; every option of 'sources add' is a key:
      [[source]]
      url = "https://news.example/feed.xml"
      every = "10m"
      bearer = "NEWS_TOKEN"          # an environment variable
      headers = { Accept-Language = "de" }
      retention = { archive = "30d", versions = "forever" }

    \b
    A CSV file begins with a row of the same keys:
      name,url,kind,every,headers.Accept-Language

    \b
    Example:
      copydesk sources import subscriptions.opml more.toml
    """
    fell_short = [not _import_file(desk, file, replace=replace, skip_bad=skip_bad) for file in files]
    if any(fell_short):
        click.get_current_context().exit(1)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def list_(desk: Desk, as_json: bool) -> None:
    """List the sources in the order of their names.

    \b
    Example:
      copydesk sources list
      copydesk sources list --json
    """
    from console.views import source_json

    found = desk.read(lambda tx: list(all_sources(tx)))
    if as_json:
        for one in found:
            print_json(source_json(one))
        return
    if not found:
        click.echo("no sources yet; 'copydesk sources add URL' adds one")
        return
    head = ("name", "kind", "state", "next poll", "last success", "every", "url")
    print_table(head, [_line(one) for one in found])


@command.command()
@click.argument("name", shell_complete=source_names)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def show(desk: Desk, name: str, as_json: bool) -> None:
    """Show a source: what was asked for, what was learned, its last polls.

    \b
    Example:
      copydesk sources show news.example-feed.xml
    """
    from console.views import source_json, whole
    from storage import sources

    found, polls = desk.read(lambda tx: (one := sources.get(tx, name), sources.history(tx, one.id, 10)))
    if as_json:
        print_json({**source_json(found), "polls": whole(polls)}, lines=False)
        return
    facts = {key: value for key, value in source_json(found).items() if value not in (0, False, [], {}, None)}
    kept = facts.get("retention", {}).items()
    facts["retention"] = [f"{kind} {days} days" if days else f"{kind} forever" for kind, days in kept]
    facts |= {key: f"{when(value)} UTC" for key, value in facts.items() if key.endswith("_at")}
    print_facts((key, ", ".join(v) if isinstance(v, list) else v) for key, v in facts.items() if v != [])
    if polls:
        click.echo()
        head = ("polled", "outcome", "status", "entries", "new", "note")
        print_table(head, [(p.started_at, p.outcome, p.status, p.entries, p.new, p.note) for p in polls])


@command.command()
@click.argument("names", nargs=-1, required=True, shell_complete=source_names)
@pass_desk
def pause(desk: Desk, names: tuple[str, ...]) -> None:
    """Stop polling sources until they are resumed.

    \b
    Example:
      copydesk sources pause news.example-feed.xml
    """
    _set_paused(desk, names, paused=True)


@command.command()
@click.argument("names", nargs=-1, required=True, shell_complete=source_names)
@pass_desk
def resume(desk: Desk, names: tuple[str, ...]) -> None:
    """Poll paused sources again, at once.

    \b
    Example:
      copydesk sources resume news.example-feed.xml
    """
    _set_paused(desk, names, paused=False)


@command.command()
@click.argument("names", nargs=-1, required=True, shell_complete=source_names)
@pass_desk
def remove(desk: Desk, names: tuple[str, ...]) -> None:
    """Stop watching sources. Their articles and history stay.

    \b
    Example:
      copydesk sources remove news.example-feed.xml
    """
    from storage import sources

    desk.write_each(names, lambda tx, name: sources.remove(tx, name, now()))
    click.echo(f"removed {', '.join(names)}")


def all_sources(tx: "Connection") -> Iterator["Source"]:
    """Every source, by name."""
    from storage import sources

    last = ""
    while batch := sources.listed(tx, after=last):
        yield from batch
        last = batch[-1].config.name


def _import_file(desk: Desk, file: Path, *, replace: bool, skip_bad: bool) -> bool:
    """Whether every entry went in."""
    from crawler.importing import read_sources
    from storage.errors import SourceError

    entries = read_sources(str(file), file.read_bytes())
    bad = [entry for entry in entries if isinstance(entry, SourceError)]
    if bad and not skip_bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise SourceError(f"{bad[0]}{more}; nothing of this file was added, --skip-bad adds the rest")
    for error in bad:
        click.echo(f"copydesk: skipped: {error}", err=True)
    good = [entry for entry in entries if not isinstance(entry, SourceError)]
    added = _add_all(desk, str(file), good, replace=replace, skip_taken=skip_bad)
    click.echo(f"{file}: {added} of {len(entries)} sources added")
    return added == len(entries)


def _add_all(desk: Desk, file: str, configs: list["SourceConfig"], *, replace: bool, skip_taken: bool) -> int:
    """Add in transactions of some thousands, so that nobody who writes meanwhile waits for the whole file."""
    settings = desk.settings()
    with desk.store(create=True) as store:
        if not replace:
            configs = _without_taken(store, file, configs, skip=skip_taken)
        with progress_bar(len(configs), "sources") as advance:
            for start in range(0, len(configs), _AT_ONCE):
                part = configs[start : start + _AT_ONCE]
                store.write(partial(_add_some, configs=part, settings=settings, replace=replace))
                advance(len(part))
    return len(configs)


def _without_taken(store: "Store", file: str, configs: list["SourceConfig"], *, skip: bool) -> list["SourceConfig"]:
    from storage import sources
    from storage.errors import SourceError

    with store.reading() as tx:
        taken = sources.taken(tx, [config.name for config in configs])
    told = [f"{file}: source {name!r} exists already; remove it first, or give --replace" for name in sorted(taken)]
    if told and not skip:
        raise SourceError(f"{told[0]}; nothing of this file was added")
    for message in told:
        click.echo(f"copydesk: skipped: {message}", err=True)
    return [config for config in configs if config.name not in taken]


def _add_some(tx: "Connection", configs: list["SourceConfig"], settings: "Settings", *, replace: bool) -> int:
    from crawler.urls import site_of
    from storage import sources

    entries = [(config, site_of(config.url)) for config in configs]
    first = max(settings.min_interval_s, 1)
    return sources.add_many(tx, entries, now=now(), interval_s=first, replace=replace)


def _set_paused(desk: Desk, names: tuple[str, ...], *, paused: bool) -> None:
    from storage import sources

    desk.write_each(names, lambda tx, name: sources.set_paused(tx, name, paused=paused, now=now()))
    click.echo(f"{'paused' if paused else 'resumed'} {', '.join(names)}")


def _line(one: "Source") -> tuple[Any, ...]:
    state = "paused" if one.paused else "failing" if one.failures else "ok" if one.last_success_at else "new"
    every = one.config.cron or span(one.interval_s)
    return (one.config.name, one.config.kind, state, one.next_at, one.last_success_at, every, one.config.url)
