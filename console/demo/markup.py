"""How an article describes itself to machines: JSON-LD, meta elements (Open Graph), or nothing in the head."""

from __future__ import annotations

import json
from datetime import datetime
from html import escape
from typing import Any

from console.demo.articles import Story
from console.demo.sites import Site


def stamp(at: datetime) -> str:
    """RFC 3339, as in `2026-03-04T05:06:07Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def image_of(site: Site, story: Story) -> str:
    """The address of a story's picture."""
    return site.url(f"/img/{story.slug}.svg")


def head(site: Site, story: Story) -> str:
    """The part of the head that is about the article."""
    parts = ['<meta charset="iso-8859-1">'] if story.declared == "meta" else []
    parts += ['<meta charset="utf-8">'] if story.charset == "utf-8" else []
    parts.append(f'<link rel="canonical" href="{site.url(story.path)}">')
    if "amp" in story.twins:
        parts.append(f'<link rel="amphtml" href="{site.url(story.twin("amp"))}">')
    if site.markup == "meta":
        parts += _meta(site, story)
    if site.markup == "jsonld" or story.live:
        parts.append(json_ld(site, story))
    return "\n".join(parts) + "\n"


def _meta(site: Site, story: Story) -> list[str]:
    draft = story.draft
    pairs = [
        ("name", "description", draft.subtitle),
        ("property", "og:type", "article"),
        ("property", "og:title", story.title),
        ("property", "og:description", draft.subtitle),
        ("property", "og:url", site.url(story.path)),
        ("property", "og:site_name", site.title),
        ("property", "og:image", image_of(site, story)),
        ("property", "og:locale", {"en": "en_GB", "de": "de_DE", "fr": "fr_FR"}.get(draft.language, draft.language)),
        ("property", "article:published_time", stamp(story.published)),
        ("property", "article:modified_time", stamp(story.modified)),
        ("property", "article:section", draft.section),
        *(("name", "author", name) for name in draft.authors),
        *(("property", "article:tag", word) for word in draft.keywords),
        ("name", "twitter:card", "summary_large_image"),
    ]
    return [f'<meta {kind}="{name}" content="{escape(value)}">' for kind, name, value in pairs]


def json_ld(site: Site, story: Story) -> str:
    """The schema.org description in a script element."""
    draft = story.draft
    body: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting" if story.live else "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": site.url(story.path)},
        "url": site.url(story.path),
        "headline": story.title,
        "alternativeHeadline": draft.subtitle,
        "description": draft.subtitle,
        "image": [image_of(site, story)],
        "datePublished": stamp(story.published),
        "dateModified": stamp(story.modified),
        "author": [
            {"@type": "Organization" if _is_desk(name, story) else "Person", "name": name} for name in draft.authors
        ],
        "publisher": {"@type": "NewsMediaOrganization", "name": site.title, "url": site.base},
        "articleSection": draft.section,
        "keywords": list(draft.keywords),
        "inLanguage": draft.language,
        "isAccessibleForFree": not story.paywall,
    }
    body |= _wall(story) | _updates(site, story)
    # "</" must not end the script element early.
    text = json.dumps(body, ensure_ascii=False, indent=1).replace("</", "<\\/")
    return f'<script type="application/ld+json">\n{text}\n</script>'


def _is_desk(name: str, story: Story) -> bool:
    return name == story.agency or name.endswith("newsroom")


def _wall(story: Story) -> dict[str, Any]:
    """Google's mark-up for paywalled content: the part that is not free, by its selector."""
    if not story.paywall:
        return {}
    part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".premium"}
    return {"hasPart": part}


def _updates(site: Site, story: Story) -> dict[str, Any]:
    if not story.live:
        return {}
    posts = [
        {
            "@type": "BlogPosting",
            "headline": text.split(".")[0],
            "articleBody": text,
            "datePublished": stamp(at),
            "url": f"{site.url(story.path)}#post-{number}",
        }
        for number, (at, text) in enumerate(live_posts(story))
    ]
    return {
        "coverageStartTime": stamp(story.published),
        "coverageEndTime": stamp(story.modified),
        "liveBlogUpdate": posts,
    }


def live_posts(story: Story) -> list[tuple[datetime, str]]:
    """A live blog's posts, the newest first: its paragraphs, spread evenly between its two times."""
    texts = story.draft.paragraphs
    gap = (story.modified - story.published) / max(len(texts) - 1, 1)
    return [(story.modified - gap * number, text) for number, text in enumerate(texts)]
