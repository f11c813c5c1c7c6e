"""Pages that break parsers: each is answered, or refused with a reason, in bounded time and memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 10.0
MOST_MB = 300.0
SENTENCE = (
    "The council of the town voted on day {n} to reopen the old ferry line across the estuary, after {n} repairs."
)

CHILD = """
import json, resource, sys, time
from datetime import UTC, datetime
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from storage.records import Rejection
from tasks.extract.material import Material
from tasks.pipeline import read
body = sys.stdin.buffer.read()
page = Material(url="https://harbour.example/2026/ferry", status=200, body=body,
                headers=(("Content-Type", "text/html; charset=utf-8"),), fetched_at=datetime(2026, 3, 10, tzinfo=UTC))
del body
began = time.process_time()
result = read(page)
took = time.process_time() - began
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
refused = isinstance(result, Rejection)
text = "" if refused else result.clean.text
print(json.dumps({"seconds": took, "mb": peak, "reason": result.reason if refused else None,
                  "title": None if refused else result.clean.title, "size": len(text), "head": text[:300],
                  "nul": chr(0) in text}))
"""


def paragraphs(count: int) -> str:
    return "".join(f"<p>{SENTENCE.format(n=n)}</p>" for n in range(1, count + 1))


def page(body: str, title: str = "Ferry to reopen in May") -> str:
    head = f'<head><title>{title}</title><meta property="og:type" content="article"></head>'
    return f"<!doctype html><html lang=en>{head}<body><h1>{title}</h1><article>{body}</article></body></html>"


def honest() -> str:
    return page(paragraphs(10_000_000 // len(f"<p>{SENTENCE}</p>")))


def nested() -> str:
    return page("<div>" * 5_000 + paragraphs(6) + "</div>" * 5_000)


def nested_otherwise() -> str:
    return page("<blockquote><b><ul><li>" * 1_250 + paragraphs(6))


def nested_and_torn() -> str:
    """1,500 levels of which a pattern sees none, for in each tag another begins."""
    return page(paragraphs(6)).replace("<article>", "<entry <i>" * 1_500 + "<article>")


def nested_data() -> str:
    deep = "".join(f'"{key}":{"[" * depth}"x"{"]" * depth},' for key, depth in (("author", 600), ("image", 950)))
    script = (
        f'<script type="application/ld+json">{{"@type":"NewsArticle",{deep}"name":"Ferry to reopen in May"}}</script>'
    )
    return page(paragraphs(6)).replace("<title>", f"{script}<title>")


def openings_without_end() -> str:
    """For each of them, a pattern that looks for the end would look through all the others."""
    return page("<div>" * 300 + paragraphs(6) + "</div>" * 300) + "<div " * 400_000 + "\xe9"


def form_feeds() -> str:
    return page(paragraphs(6).replace("<p>", "\f<nav>x</nav>\f<p>")).replace("<h1>", "\f<aside>x</aside>\f<h1>")


def unclosed() -> str:
    whole = page(paragraphs(6)).replace("</p>", "").replace("</article></body></html>", "")
    return whole + "<div><b><i><table><a href='"


def always_open() -> str:
    return page("".join(f"<b><p><font color=red>{SENTENCE.format(n=n)}" for n in range(3_000)))


def nuls() -> str:
    return page(paragraphs(6).replace("o", "o\x00").replace("<p>", "<p\x00>\x00") + "\x00" * 100_000)


def attributes() -> str:
    many = " ".join(f'a{n}="{n}"' for n in range(100_000))
    return page(f"<div {many}>{paragraphs(6)}</div>")


def attributes_of_many() -> str:
    few = " ".join(f"data-{n}={n}" for n in range(100))
    return page("".join(f"<p {few}>{SENTENCE.format(n=n)}</p>" for n in range(1_000)))


HOSTILE: tuple[Callable[[], str], ...] = (
    honest, nested, nested_otherwise, nested_and_torn, nested_data, openings_without_end,
    form_feeds, unclosed, always_open, nuls, attributes,
    attributes_of_many,
)  # fmt: skip


def read_in_a_child(body: bytes) -> dict[str, Any]:
    """What a process of its own makes of a page, with the CPU seconds and the most memory that it took."""
    ran = subprocess.run(
        [sys.executable, "-c", CHILD], input=body, capture_output=True, timeout=100, cwd=ROOT, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_a_hostile_page_is_answered_in_time(make: Callable[[], str]) -> None:
    told = read_in_a_child(make().encode())

    assert told["seconds"] < MOST_SECONDS
    assert told["mb"] < MOST_MB
    assert told["reason"] is None, "each of these has an article in it"
    assert told["title"] == "Ferry to reopen in May"
    assert "voted on day 1 to reopen" in " ".join(told["head"].split()).replace("\ufffd", "")
    assert not told["nul"]


@pytest.mark.timeout(120)
def test_the_whole_of_an_honest_text_comes_out() -> None:
    count = 2_000
    told = read_in_a_child(page(paragraphs(count)).encode())
    assert told["size"] > 0.99 * sum(len(SENTENCE.format(n=n)) for n in range(1, count + 1))


def test_what_has_no_text_is_refused_with_a_reason() -> None:
    assert read_in_a_child(("<div>" * 50_000).encode())["reason"] is not None
