"""Measures extraction on a set of labelled pages: ours beside its peers, cross-validated, with speed and memory.

    python -m benchmarks.extraction --data DIR [--peers] [--folds N]

`extract` is the plug-in for scorers: what the product makes of a page, with nothing added for the benchmark. With
`--folds` the model is trained N times, each time without the sites that it is then measured on. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from storage.records import Clean, Extracted, Rejection
from tasks.credit import credited
from tasks.extract import forest
from tasks.extract.localday import local_day
from tasks.extract.material import Material
from tasks.normalize import Facts, best, names_of, normalize, render
from tasks.pipeline import look
from tasks.repeats import told_once

Reader = Callable[[str, str], Mapping[str, Any]]
_UNKNOWN = "https://unknown.example/page"
_NOW = datetime.now(UTC)
_PATIENCE_S = 60.0
"""So long a reader may look at one page."""
_INITIALS = 3
_SHOWN = 0.6
"""Confidence in a credit that a reader of the page sees."""


def extract(html: str, url: str) -> dict[str, Any]:
    """The article of a page through the stages from look to normalize; nothing for a page that the pipeline rejects."""
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    body = html.encode("utf-8", "replace")
    material = Material(url=url or _UNKNOWN, status=200, headers=headers, body=body, fetched_at=_NOW)
    seen = look(material)
    if isinstance(seen, Rejection):
        return {}
    article = normalize(seen, Facts(url=material.url, fetched_at=_NOW))
    if isinstance(article, Rejection):
        return {}
    day = local_day(seen.published_at) or local_day(seen.modified_at)
    return {
        "text": _text(seen),
        "title": article.title,
        "date": day.isoformat() if day else "",
        "author": list(article.authors) or _newsroom(article),
    }


def _text(seen: Extracted) -> str:
    """The text with its standfirst, which labels count as text; the record has it as a field of its own."""
    body = best(seen.blocks)
    return render(told_once(body.value, "", names_of(seen))) if body else ""


def _newsroom(article: Clean) -> list[str]:
    """The newsroom or account in a byline that names no person: labels count it as author, unlike an agency."""
    trace = article.provenance.get("credit")
    shown = trace is not None and trace.confidence >= _SHOWN and not trace.source.startswith("meta:")
    named = article.credit is not None and len(article.credit) > _INITIALS and credited(article)[0] is None
    return [article.credit] if article.credit and named and shown else []


def peers() -> dict[str, Reader]:
    """The peers that are installed; the others are named on the terminal."""
    found: dict[str, Reader] = {}
    for name, make in (("trafilatura", _trafilatura), ("newspaper4k", _newspaper), ("readability-lxml", _readability)):
        try:
            found[name] = make()
        except ImportError:
            print(f"{name}: not installed, skipped (dependency group bench)")
    return found


def _trafilatura() -> Reader:
    from trafilatura import bare_extraction  # noqa: PLC0415

    def reader(html: str, url: str) -> Mapping[str, Any]:
        found = bare_extraction(html, url=url or None, include_comments=False, with_metadata=True)
        return {"text": getattr(found, "text", "") or ""} if found else {}

    return reader


def _newspaper() -> Reader:
    from newspaper import Article  # noqa: PLC0415

    def reader(html: str, url: str) -> Mapping[str, Any]:
        article = Article(url or _UNKNOWN, fetch_images=False)
        article.download(input_html=html)
        article.parse()
        return {"text": article.text}

    return reader


def _readability() -> Reader:
    from lxml import html as markup  # noqa: PLC0415
    from readability import Document  # noqa: PLC0415

    def reader(html: str, url: str) -> Mapping[str, Any]:
        summary = Document(html, url=url or None).summary()
        return {"text": "\n".join(text for text in markup.fromstring(summary).itertext() if text.strip())}

    return reader


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise TimeoutError where the work takes longer; in the main thread only."""

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measure(data: Path, records: Sequence[Mapping[str, Any]], reader: Reader) -> dict[str, Any]:
    """The text scores of a reader over the records with a gold text, in all and by source, and its speed."""
    from benchmarks.train_blocks import shingles, words  # noqa: PLC0415

    rows: dict[str, list[tuple[float | None, float, float, bool]]] = {}
    spent, failed = 0.0, 0
    for record in records:
        page = _page(data, record)
        start = time.process_time()
        try:
            with _bounded(_PATIENCE_S):
                text = str(reader(page, record.get("url") or "").get("text") or "")
        except Exception:  # noqa: BLE001  (a peer that raises on a page, or does not end, gives nothing for it)
            text, failed = "", failed + 1
        spent += time.process_time() - start
        gold, mine = words(record["text"]), words(text)
        expected, found = shingles(gold), shingles(mine)
        both = sum((expected & found).values())
        total, size = sum(expected.values()), sum(found.values())
        row = (both / size if size else None, both / total, 2 * both / (total + size), gold == mine)
        for key in ("all", record["source"]):
            rows.setdefault(key, []).append(row)
    scores: dict[str, Any] = {key: _summary(found) for key, found in sorted(rows.items())}
    return scores | {"pages_per_s": round(len(records) / max(spent, 1e-9), 1), "failed": failed}


def _page(data: Path, record: Mapping[str, Any]) -> str:
    return gzip.decompress((data / "html" / f"{record['id']}.html.gz").read_bytes()).decode("utf-8", "replace")


def _summary(rows: Sequence[tuple[float | None, float, float, bool]]) -> dict[str, float]:
    given = [row[0] for row in rows if row[0] is not None]
    precision = sum(given) / max(1, len(given))
    recall = sum(row[1] for row in rows) / len(rows)
    return {
        "pages": len(rows),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
        "bad": round(sum(row[2] < 0.8 for row in rows) / len(rows), 4),
        "perfect": round(sum(row[3] for row in rows) / len(rows), 4),
    }


def cross_validated(data: Path, records: Sequence[Mapping[str, Any]], folds: int) -> list[dict[str, Any]]:
    """What the pipeline makes of each page with a model that was trained without the page's site."""
    from benchmarks.train_blocks import fold_of, read_pages, site, train  # noqa: PLC0415

    pages = read_pages(data)
    texts: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        for fold in range(folds):
            others = [page for page in pages if fold_of(page.site, folds) != fold]
            trained = forest.load(train(others, Path(folder) / "model.json"))
            with patch.object(forest, "model", lambda trained=trained: trained):
                texts += [
                    {**extract(_page(data, record), record.get("url") or ""), "id": record["id"]}
                    for record in records
                    if fold_of(site(record), folds) == fold
                ]
            print(f"fold {fold + 1} of {folds}: {len(texts)} pages read", flush=True)
    return texts


def main() -> None:
    """Print the table and one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--peers", action="store_true", help="measure the peers on the same pages")
    options.add_argument("--folds", type=int, default=0, help="cross-validate: train on all folds but one, N times")
    options.add_argument("--save", type=Path, help="write the cross-validated results here, one JSON a line")
    asked = options.parse_args()
    if asked.folds and find_spec("catboost") is None:
        options.error("--folds trains models: install catboost, and the peers with it (see benchmarks/README.md)")
    records = [json.loads(line) for line in (asked.data / "gold.jsonl").read_text("utf-8").splitlines()]
    records = [record for record in records if record.get("text")]
    result: dict[str, Any] = {}
    if asked.folds:
        found = {item["id"]: item for item in cross_validated(asked.data, records, asked.folds)}
        by_page = iter([found.get(record["id"], {}) for record in records])
        result["copydesk, cross-validated"] = measure(asked.data, records, lambda _html, _url: next(by_page))
        result["copydesk, cross-validated"].pop("pages_per_s")
        if asked.save:
            asked.save.write_text("".join(json.dumps(item) + "\n" for item in found.values()), "utf-8")
    readers: dict[str, Reader] = {"copydesk": extract} | (peers() if asked.peers else {})
    for name, reader in readers.items():
        reader("<p>warm up the imports</p>", "")
        result[name] = measure(asked.data, records, reader)
        print(f"{name:18} {result[name]['all']} {result[name]['pages_per_s']} pages/s", flush=True)
    result["rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
