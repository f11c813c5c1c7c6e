"""What surrounds the content of every page: head, masthead, navigation, side column, footer; and the plain pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from console.demo.articles import Story, slugify
from console.demo.sites import Site

SECTIONS = ("Region", "Politics", "Business", "Culture", "Science", "Sport")
NOT_ARTICLES = ("/about", "/contact", "/newsletter", "/search", *(f"/sections/{slugify(name)}" for name in SECTIONS))
"""Paths that the navigation links to and that hold no article."""

_ABOUT = {
    "/about": ("About us", "{title} is invented. It exists to be crawled, and prints nothing that ever happened."),
    "/contact": ("Contact", "Letters to the editor reach us at the old customs house, second floor, ring twice."),
    "/newsletter": ("Newsletter", "One letter each morning, written before breakfast, with the tide table."),
    "/search": ("Search", "The archive is being sorted. Please come back later."),
}


@cache
def _style() -> str:
    return (files("console.demo") / "style.css").read_text("utf-8")


def document(site: Site, *, title: str, main: str, side: str = "", head: str = "", language: str = "en") -> str:
    """A whole page of a site. `head`, `main` and `side` are HTML, `title` is text."""
    links = "".join(f'<a href="/sections/{slugify(name)}">{name}</a>' for name in SECTIONS)
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
{head}<title>{escape(title)} | {escape(site.title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ --brand: {site.colour} }}
{_style()}</style>
</head>
<body>
<header class="masthead"><a href="/">{escape(site.title)}</a><p>{escape(site.tagline)}</p></header>
<nav class="sections" aria-label="Sections"><a href="/">Home</a>{links}<a href="/search">Search</a></nav>
<div class="columns">
<main>
{main}
</main>
<aside>
{side}{_newsletter()}
</aside>
</div>
<footer class="page">
<p><a href="/about">About us</a> · <a href="/contact">Contact</a> · <a href="/newsletter">Newsletter</a></p>
<p>© {escape(site.title)}. All rights reserved. We use cookies for nothing.</p></footer>
</body>
</html>
"""


def _newsletter() -> str:
    return """<section class="box newsletter"><h3>The morning letter</h3>
<p>Sign up for our free newsletter and never miss a tide.</p>
<form action="/newsletter"><input type="email" aria-label="E-mail address" placeholder="you@home.example">
<button>Subscribe</button></form></section>
"""


def related(stories: Sequence[Story], heading: str = "More on this") -> str:
    """A box of links to other stories."""
    items = "".join(f'<li><a href="{story.path}">{escape(story.title)}</a></li>' for story in stories)
    return f'<section class="box related"><h3>{heading}</h3><ul>{items}</ul></section>\n'


def front_page(site: Site, stories: Sequence[Story], title: str) -> str:
    """A home or section page: a teaser for each story."""
    teasers = "".join(
        f'<article class="teaser"><p class="kicker">{escape(story.draft.section)}</p>'
        f'<h2><a href="{story.path}">{escape(story.title)}</a></h2><p>{escape(story.draft.subtitle)}</p></article>\n'
        for story in stories
    )
    feeds = "".join(
        f'<link rel="alternate" type="{kind}" href="{path}">\n' for kind, path in _FEEDS[site.name]
    )  # fmt: skip
    return document(
        site, title=title, main=f"<h1>{escape(title)}</h1>\n{teasers}", head=f'<meta charset="utf-8">\n{feeds}'
    )


_FEEDS = {
    "harbour": (("application/rss+xml", "/feeds/news.rss"),),
    "valley": (("application/atom+xml", "/atom.xml"),),
    "coast": (("application/feed+json", "/feed.json"),),
}


def plain_page(site: Site, path: str) -> str:
    """One of the pages that the footer links to."""
    title, text = _ABOUT[path]
    return document(
        site,
        title=title,
        main=f"<h1>{title}</h1><p>{escape(text.format(title=site.title))}</p>",
        head='<meta charset="utf-8">\n',
    )


def missing_page(site: Site, popular: Sequence[Story]) -> str:
    """What a site says instead of an article that is not there; the caller chooses the status."""
    main = """<h1>Page not found</h1>
<p>Sorry, the page you are looking for cannot be found. It may have been moved or removed.</p>
<p>Please check the address, or try our <a href="/search">search</a>.</p>"""
    return document(
        site, title="Page not found", main=main, side=related(popular, "Popular now"), head='<meta charset="utf-8">\n'
    )


def picture(site: Site, slug: str) -> str:
    """A drawing of hills or waves in the site's colour, as SVG, different for each slug."""
    turn = sum(slug.encode()) % 120
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630" width="1200" height="630">
<rect width="1200" height="630" fill="#e9e2d0"/><circle cx="{200 + 6 * turn}" cy="{120 + turn}" r="70" fill="#f4c95d"/>
<path d="M0 {380 + turn} Q300 {240 + turn} 600 {390 - turn} T1200 360 V630 H0Z" fill="{site.colour}" opacity=".55"/>
<path d="M0 {500 - turn // 2} Q350 {380 + turn} 700 480 T1200 {430 + turn} V630 H0Z" fill="{site.colour}"/></svg>
"""
