"""Article pages: the full page in each site's own mark-up, and the AMP and print forms of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from console.demo.articles import Story
from console.demo.chrome import document, related
from console.demo.markup import head, image_of, json_ld, live_posts, stamp
from console.demo.sites import Site
from console.demo.texts import comments


def article_page(site: Site, story: Story, others: Sequence[Story]) -> bytes:
    """The page of a story as bytes in its character set; `others` are linked to as related."""
    side = related(others) + (related(others[::-1], "Most read this week") if story.fresh_chrome else "")
    main = f"{_article(site, story)}\n{_share(site, story)}\n{_comments(story)}"
    page = document(
        site, title=story.title, main=main, side=side, head=head(site, story), language=story.draft.language
    )
    return page.encode(story.charset)


def content_type(story: Story) -> str:
    """The header that goes with the page: it names the character set only where the story declares it there."""
    return "text/html; charset=utf-8" if story.declared == "header" else "text/html"


def _article(site: Site, story: Story) -> str:
    micro = site.markup == "microdata"
    draft = story.draft
    scope = ' itemscope itemtype="https://schema.org/NewsArticle"' if micro else ""
    return f"""<article class="story"{scope}>
<p class="kicker"{_prop(micro, "articleSection")}>{escape(draft.section)}</p>
<h1{_prop(micro, "headline")}>{escape(story.title)}</h1>
<p class="standfirst"{_prop(micro, "description")}>{escape(draft.subtitle)}</p>
{_byline(story, micro=micro)}
<figure><img src="{image_of(site, story)}"{_prop(micro, "image")} alt="" width="1200" height="630">
<figcaption>Drawing: {escape(site.title)}</figcaption></figure>
<div class="article-body"{_prop(micro, "articleBody")}>
{_live(story) if story.live else body(story)}
</div>
{_wall(story)}{_credit(story)}</article>"""


def _prop(on: bool, name: str) -> str:
    return f' itemprop="{name}"' if on else ""


def _byline(story: Story, *, micro: bool) -> str:
    day = f"{story.published.day} {story.published:%B %Y, %H.%M} UTC"
    if not micro:
        return f'<p class="byline">By {escape(" and ".join(story.draft.authors))} · {day}</p>'
    scope = 'itemprop="author" itemscope itemtype="https://schema.org/Person"'
    people = " and ".join(
        f'<span {scope}><span itemprop="name">{escape(name)}</span></span>' for name in story.draft.authors
    )
    times = f'<time itemprop="datePublished" datetime="{stamp(story.published)}">{day}</time>'
    if story.modified > story.published:
        clock = f"{story.modified:%H.%M} UTC"
        times += f' · updated <time itemprop="dateModified" datetime="{stamp(story.modified)}">{clock}</time>'
    return f'<p class="byline">By {people} · {times}</p>'


def body(story: Story) -> str:
    """The paragraphs as HTML, with the correction note where there is one. What is behind a wall is never sent."""
    texts = "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in story.draft.paragraphs)
    note = f'\n<p class="correction">{escape(story.correction)}</p>' if story.correction else ""
    return texts + note


def _live(story: Story) -> str:
    posts = (
        f'<section class="live-post" id="post-{number}"><h2><time datetime="{stamp(at)}">{at:%H.%M}</time></h2>'
        f"<p>{escape(text, quote=False)}</p></section>"
        for number, (at, text) in enumerate(live_posts(story))
    )
    return "\n".join(posts)


def _wall(story: Story) -> str:
    if not story.paywall:
        return ""
    return """<div class="premium wall"><p><strong>Subscribe to continue reading.</strong></p>
<p>This article is for subscribers. Already a member? <a href="/newsletter">Log in</a></p></div>
"""


def _credit(story: Story) -> str:
    return f'<p class="credit">Source: {story.agency}</p>\n' if story.agency else ""


def _share(site: Site, story: Story) -> str:
    address = site.url(story.path)
    names = ("Share", "Post", "E-mail")
    links = "".join(
        f'<a href="https://share.example/?to={name.lower()}&amp;url={address}">{name}</a>' for name in names
    )
    twin = f'<a href="{story.twin("print")}" rel="nofollow">Print</a>' if "print" in story.twins else ""
    return f'<p class="share">{links}{twin}</p>'


def _comments(story: Story) -> str:
    lines = "".join(
        f'<li class="comment"><b>{escape(name)}</b> wrote: <q>{escape(text)}</q></li>'
        for name, text in comments(story.key)
    )
    return f'<section class="comments" id="comments"><h3>Comments</h3><ul>{lines}</ul></section>'


def amp_page(site: Site, story: Story) -> bytes:
    """The AMP form: bare, with a canonical link back."""
    return f"""<!doctype html>
<html amp lang="{story.draft.language}">
<head><meta charset="utf-8"><title>{escape(story.title)}</title>
<link rel="canonical" href="{site.url(story.path)}">
<meta name="viewport" content="width=device-width,minimum-scale=1">
{json_ld(site, story)}
<style amp-custom>body {{ font: 17px Georgia, serif; margin: 1rem }}</style></head>
<body><header><a href="/">{escape(site.title)}</a></header>
<article><h1>{escape(story.title)}</h1>
<amp-img src="{image_of(site, story)}" width="1200" height="630" layout="responsive"></amp-img>
{body(story)}
</article></body>
</html>
""".encode()


def print_page(site: Site, story: Story) -> bytes:
    """The form for the printer: title, byline and text, with a canonical link back."""
    return f"""<!DOCTYPE html>
<html lang="{story.draft.language}"><head><meta charset="utf-8"><title>{escape(story.title)} (print)</title>
<link rel="canonical" href="{site.url(story.path)}"></head>
<body><p>{escape(site.title)}</p><h1>{escape(story.title)}</h1>
{_byline(story, micro=False)}
{body(story)}
<p>Printed from {site.url(story.path)}</p></body></html>
""".encode()
