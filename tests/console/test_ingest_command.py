"""`copydesk ingest`: what people really have, twice, and what cannot be read."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

Cli = Callable[..., Result]
Rows = Callable[..., list[Any]]

PARAGRAPHS = (
    "The council of Brackwater voted on Monday evening to rebuild the old swing bridge, which has been shut since the "
    "floods of last winter, and set aside four million for it.",
    "Engineers will lift the span in May. Traffic goes by the northern ring until the autumn, the council's surveyor "
    "said, and buses will run every ten minutes to make up for it.",
    "Shopkeepers on the quay had asked for a footbridge in the meantime. The mayor promised an answer in two weeks, "
    "but warned that the budget of the town was stretched already.",
)
BODY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)


def html(title: str = "Swing bridge to be rebuilt", head: str = "", body: str = BODY) -> str:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>{head}</head>"
        f"<body><article><h1>{title}</h1>{body}</article></body></html>"
    )


def warc(*responses: tuple[str, int, str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for url, status, media, body in responses:
        headers = StatusAndHeaders(f"{status} X", [("Content-Type", media)], protocol="HTTP/1.1")
        facts = {"payload": io.BytesIO(body), "length": len(body), "http_headers": headers}
        writer.write_record(writer.create_warc_record(url, "response", **facts))
    return out.getvalue()


def only_article(rows: Rows) -> Any:
    [article] = rows("articles")
    return article


def test_a_text_file_as_people_hand_it_in(rows: Rows, seed: Path) -> None:
    [row] = rows("ingest", str(seed))
    assert (row["outcome"], row["disposition"]) == ("new article", "article")
    article = only_article(rows)
    assert article["title"] == "Ferry strike ends after night of talks"
    assert [block["kind"] for block in article["blocks"]] == ["paragraph"] * 5
    assert article["text"].count("\n\n") == 4
    assert "Read more" not in article["text"]
    assert "\u2011" not in article["text"]
    assert "nine-day" in article["text"]
    assert article["title"] not in article["text"]
    assert article["url"].startswith("urn:sha256:")


def test_the_same_file_twice_makes_no_second_article(cli: Cli, rows: Rows, seed: Path) -> None:
    cli("ingest", str(seed))
    [row] = rows("ingest", str(seed))
    assert (row["outcome"], row["article_id"]) == ("unchanged", 1)
    assert only_article(rows)["version"] == 1
    assert [change["seq"] for change in rows("changes")] == [1]


def test_a_saved_page_is_filed_under_the_address_it_names(rows: Rows, tmp_path: Path) -> None:
    head = '<link rel="canonical" href="https://brack.example/bridge?utm_source=x">'
    (tmp_path / "page").write_text(html(head=head), "utf-8")
    [row] = rows("ingest", "page")
    assert row["title"] == "Swing bridge to be rebuilt"
    assert only_article(rows)["url"] == "https://brack.example/bridge"


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<meta property="og:url" content="https://brack.example/og">', "https://brack.example/og"),
        ("<!-- saved from url=(0028)https://brack.example/saved -->", "https://brack.example/saved"),
    ],
)
def test_other_ways_to_name_it(rows: Rows, tmp_path: Path, head: str, url: str) -> None:
    (tmp_path / "page.html").write_text(html(head=head), "utf-8")
    rows("ingest", "page.html")
    assert only_article(rows)["url"] == url


def test_the_address_given_by_hand_wins(rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(html(), "utf-8")
    rows("ingest", "page.html", "--url", "https://brack.example/by-hand")
    assert only_article(rows)["url"] == "https://brack.example/by-hand"


def test_jsonl(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    lines = [
        {"url": "https://brack.example/1", "html": html(), "authors": ["Ida Brook"]},
        {"text": "\n\n".join(PARAGRAPHS[::-1]), "title": "Backwards", "published_at": "2026-03-04T05:06:07+01:00"},
        {"url": "https://brack.example/3"},
        {"url": "ftp://brack.example/4", "text": PARAGRAPHS[0]},
        {"url": "https://brack.example/5", "text": PARAGRAPHS[0], "published_at": "yesterday"},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n{broken\n"
    (tmp_path / "a.jsonl").write_text(text, "utf-8")
    told = cli("ingest", "a.jsonl", exit_code=1).stderr
    assert "a.jsonl: line 3: has neither html nor text" in told
    assert "a.jsonl: line 4: url:" in told
    assert "a.jsonl: line 5: published_at: 'yesterday'" in told
    assert "a.jsonl: line 6: no JSON" in told
    first, second = rows("articles")
    assert (first["url"], first["authors"]) == ("https://brack.example/1", ["Ida Brook"])
    assert (second["title"], second["published_at"]) == ("Backwards", "2026-03-04T04:06:07Z")
    assert PARAGRAPHS[0] in second["text"]
    assert "Backwards" not in second["text"]


def test_a_json_array_or_one_object(rows: Rows, tmp_path: Path) -> None:
    record = {"url": "https://brack.example/1", "html": html()}
    (tmp_path / "a.json").write_text(json.dumps([record], indent=2))
    (tmp_path / "b.json").write_text(json.dumps(record | {"url": "https://brack.example/2"}, indent=2))
    assert [row["outcome"] for row in rows("ingest", "a.json")] == ["new article"]
    assert len(rows("ingest", "b.json")) == 1


def test_warc(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    records = (
        ("https://brack.example/bridge", 200, "text/html; charset=utf-8", html().encode()),
        ("https://brack.example/logo.png", 200, "image/png", b"\x89PNG"),
        ("https://brack.example/gone", 404, "text/html", html("Gone").encode()),
    )
    (tmp_path / "c.warc.gz").write_bytes(warc(*records))
    told = cli("ingest", "c.warc.gz").stdout
    assert "2 records are no pages" in told
    assert only_article(rows)["url"] == "https://brack.example/bridge"
    skipped = [row["reason"] for row in rows("ingest", "c.warc.gz") if row["outcome"] == "skipped"]
    assert skipped == ["not_html", "http_404"]


def test_a_torn_warc_gives_what_is_whole(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    record = ("https://brack.example/bridge", 200, "text/html", html().encode())
    data = warc(record, ("https://brack.example/two", 200, "text/html", html("Two").encode()))
    (tmp_path / "c.warc.gz").write_bytes(data[:-40])
    assert "c.warc.gz: not a whole WARC file" in cli("ingest", "c.warc.gz", exit_code=1).stderr
    assert only_article(rows)["url"] == "https://brack.example/bridge"


def test_a_feed_with_whole_texts_and_one_without(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    feed = f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>B</title>
    <item><title>Swing bridge to be rebuilt</title><link>https://brack.example/bridge</link>
      <pubDate>Wed, 04 Mar 2026 05:06:07 GMT</pubDate><content:encoded><![CDATA[{BODY}]]></content:encoded></item>
    <item><title>Only a teaser</title><link>https://brack.example/teaser</link><description>Short.</description></item>
    </channel></rss>"""
    (tmp_path / "feed.xml").write_text(feed, "utf-8")
    told = cli("ingest", "feed.xml").stdout
    assert "1 entries name a page without its text: 'copydesk crawl' fetches them" in told
    article = only_article(rows)
    assert (article["title"], article["published_at"]) == ("Swing bridge to be rebuilt", "2026-03-04T05:06:07Z")
    assert PARAGRAPHS[1] in article["text"]
    assert json.loads(cli("explain", "https://brack.example/teaser", "--json").stdout)["page"]["state"] == "discovered"


def test_a_folder_in_order_without_hidden_files(rows: Rows, tmp_path: Path, seed: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.html").write_text(html(), "utf-8")
    (tmp_path / "in" / "deep" / "a.txt").write_text(seed.read_text("utf-8"), "utf-8")
    (tmp_path / "in" / ".hidden").write_text("no")
    assert [Path(row["input"]).name for row in rows("ingest", "in")] == ["b.html", "a.txt"]
    assert len(rows("articles")) == 2


def test_standard_input(rows: Rows) -> None:
    [row] = rows("ingest", "-", "--url", "https://brack.example/piped", stdin=html().encode())
    assert (row["input"], row["url"]) == ("standard input", "https://brack.example/piped")


def test_gzipped_files(rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "p.html.gz").write_bytes(gzip.compress(html().encode()))
    assert rows("ingest", "p.html.gz")[0]["outcome"] == "new article"


def test_what_cannot_be_read_is_named_and_the_rest_goes_in(cli: Cli, rows: Rows, seed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b" \n\n")
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "torn.gz").write_bytes(gzip.compress(html().encode())[:-200])
    told = cli("ingest", "missing.html", "empty.txt", "paper.pdf", "noise.bin", "torn.gz", str(seed), exit_code=1)
    assert told.stderr.splitlines() == [
        "copydesk: missing.html: No such file or directory",
        "copydesk: empty.txt: is empty",
        "copydesk: paper.pdf: is a PDF; HTML, text, JSONL, WARC and feeds can be read",
        "copydesk: noise.bin: is binary; HTML, text, JSONL, WARC and feeds can be read",
        "copydesk: torn.gz: is damaged gzip data",
    ]
    assert only_article(rows)["title"] == "Ferry strike ends after night of talks"


def test_a_file_above_the_limit_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("word " * 1000)
    assert "larger than 1000 bytes" in cli("--set", "max_bytes=1000", "ingest", "big.txt", exit_code=1).stderr


def test_a_page_that_is_no_article_says_why(rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text(html(body="<p>Hello.</p>"), "utf-8")
    [row] = rows("ingest", "p.html")
    assert (row["outcome"], row["article_id"]) == ("rejected", None)
    assert row["reason"]


def test_a_changed_file_under_its_address_makes_a_version(rows: Rows, tmp_path: Path) -> None:
    page = tmp_path / "p.html"
    page.write_text(html(), "utf-8")
    rows("ingest", "p.html", "--url", "https://brack.example/bridge")
    page.write_text(html(body=BODY.replace("four million", "nine million")), "utf-8")
    [row] = rows("ingest", "p.html", "--url", "https://brack.example/bridge")
    assert row["outcome"] == "new version"
    assert "nine million" in only_article(rows)["text"]


def test_one_address_goes_with_one_file(cli: Cli, seed: Path) -> None:
    cli("ingest", str(seed), str(seed), "--url", "https://brack.example/", exit_code=2)


def test_what_was_ingested_waits_for_no_crawl(cli: Cli, seed: Path) -> None:
    cli("ingest", str(seed))
    assert json.loads(cli("status", "--json").stdout)["next_due"] is None
