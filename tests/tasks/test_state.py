"""Articles whose text stands only in the data that a page carries for its own scripts."""

import json
from datetime import UTC, datetime

import pytest

from storage.records import Extracted
from tasks.extract import extract
from tasks.extract.document import parse
from tasks.extract.material import Material
from tasks.extract.state import state_blocks

_SENTENCES = [
    f"Ferry number {number} left the harbour at dawn, and the keeper wrote down who was on board. "
    "Nobody had told her to."
    for number in range(1, 7)
]
_PLAIN = "\n".join(_SENTENCES)


def _rich(text: str) -> dict[str, object]:
    first, _, rest = text.partition(",")
    link = {"type": "link", "data": {"href": "/x"}, "content": [{"type": "text", "value": ","}]}
    return {"type": "paragraph", "content": [{"type": "text", "value": first}, link, {"type": "text", "value": rest}]}


def _flight(markup: str) -> str:
    size = len(markup.encode())
    tree, menu = json.dumps(["$", "div", None, {"children": "$2"}]), json.dumps({"menu": "x" * 900})
    rows = f"1:{tree}\n2:T{size:x},{markup}3:{menu}\n"
    return f"<script>self.__next_f.push({json.dumps([1, rows])})</script>"


_MARKUP = "".join(f"<p>{sentence}</p>" for sentence in _SENTENCES)
_OTHERS = [{"headline": f"Other story {n}", "content": _PLAIN * 2} for n in range(3)]
_PIECES = [{"type": "text", "content": sentence} for sentence in _SENTENCES]
_SCRIPTS = {
    "next, rich text": '<script id="__NEXT_DATA__" type="application/json">'
    + json.dumps({"props": {"story": {"body": {"type": "document", "content": list(map(_rich, _SENTENCES))}}}})
    + "</script>",
    "next, markup, beside other stories": '<script id="__NEXT_DATA__" type="application/json">'
    + json.dumps({"props": {"article": {"html": _MARKUP}, "more": _OTHERS}})
    + "</script>",
    "next, server components": _flight(_MARKUP),
    "nuxt 3": '<script id="__NUXT_DATA__" type="application/json">'
    + json.dumps([{"data": 1}, {"body": 2}, _MARKUP])
    + "</script>",
    "nuxt 2, computed": "<script>window.__NUXT__=(function(a,b){return {data:[{body:"
    + json.dumps(_MARKUP).replace("</", "<\\u002F")
    + "}]}}(1,2))</script>",
    "fusion": "<script>window.Fusion=window.Fusion||{};Fusion.globalContent="
    + json.dumps({"type": "story", "content_elements": [*_PIECES[:3], {"type": "image", "caption": "x"}, *_PIECES[3:]]})
    + ';Fusion.deployment="7";</script>',
}


@pytest.mark.parametrize("kind", _SCRIPTS)
def test_the_text_is_found_whole_and_in_order(kind: str) -> None:
    page = parse(f"<html><body><h1>Ferries</h1><div id=app></div>{_SCRIPTS[kind]}</body></html>", "https://a.example/1")
    assert [block.text for block in state_blocks(page)] == _SENTENCES


@pytest.mark.parametrize(
    "script",
    [
        '<script type="application/json">' + "[" * 5_000 + "</script>",
        '<script type="application/json">' + json.dumps({"a": ["\ud800<p>" + "word. " * 200]}) + "</script>",
        "<script>self.__next_f.push([1," + json.dumps("1:Tffffff,<p>cut " + "off. " * 200) + "</script>",
        "<script>window.__STATE__={" + "x" * 900 + "</script>",
    ],
)
def test_broken_state_is_no_fault(script: str) -> None:
    state_blocks(parse(f"<body>{script}</body>", "https://a.example/1"))


def test_menus_and_captions_are_no_article() -> None:
    menu = {"items": [{"type": "link", "text": f"Section {n}"} for n in range(300)]}
    page = parse(f'<body><script type="application/json">{json.dumps(menu)}</script></body>', "https://a.example/1")
    assert state_blocks(page) == ()


def _extracted(body: str) -> Extracted:
    page = f"<html><head><title>Ferries</title></head><body><article><h1>Ferries</h1>{body}</article></body></html>"
    html = (("Content-Type", "text/html; charset=utf-8"),)
    found = extract(
        Material(
            url="https://a.example/2026/ferries",
            status=200,
            headers=html,
            body=page.encode(),
            fetched_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
    )
    assert isinstance(found, Extracted)
    return found


@pytest.mark.parametrize("shown", ["", f"<p>{_SENTENCES[0]}</p>"])
def test_it_is_the_text_of_a_page_that_shows_less(shown: str) -> None:
    body = _extracted(shown + _SCRIPTS["fusion"]).blocks[0]
    assert (body.source, [block.text for block in body.value]) == ("script:state", _SENTENCES)


def test_a_page_that_shows_its_text_is_read_as_shown() -> None:
    body = _extracted(_MARKUP + _SCRIPTS["fusion"]).blocks[0]
    assert body.source != "script:state"


def test_the_data_may_be_of_another_text() -> None:
    notice = [
        "A goods train left the rails near the old mill at noon, and nobody on it was hurt.",
        "The line stays closed until Friday, and buses take its place as far as the river.",
    ]
    body = _extracted("".join(f"<p>{text}</p>" for text in notice) + _SCRIPTS["fusion"]).blocks[0]
    assert [block.text for block in body.value] == notice
