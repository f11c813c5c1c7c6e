"""The block classifier: its arithmetic, its features' order, and what it takes for the article."""

import gzip
import json
from importlib.resources import files

import numpy as np
import pytest

from tasks.extract import forest
from tasks.extract.classify import judge
from tasks.extract.document import parse
from tasks.extract.features import names
from tasks.extract.segments import segment


def _packed() -> dict[str, object]:
    loaded: dict[str, object] = json.loads(
        gzip.decompress(files("tasks").joinpath("data", "blocks.json.gz").read_bytes())
    )
    return loaded


def test_a_leaf_is_found_by_the_answers_first_question_lowest() -> None:
    data = {
        "forest": {"depth": 2, "splits": [[0, 0.5], [1, 0.5]], "leaves": [0.0, 1.0, 2.0, 3.0], "bias": 0.25},
        "tokens": {},
        "threshold": 0.5,
    }
    table = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    expected = [1 / (1 + np.exp(-(leaf + 0.25))) for leaf in (0, 1, 2, 3)]
    assert forest.load(data).forest.judge(table) == pytest.approx(expected)


def test_the_model_was_trained_on_the_features_that_are_computed() -> None:
    assert _packed()["columns"] == list(names())


def test_prose_is_told_from_furniture() -> None:
    sentence = "The council voted on Tuesday to rebuild the harbour wall, which a storm had broken in the spring. "
    body = "".join(f"<p>{sentence * 3}</p>" for _ in range(6))
    links = "".join(f'<li><a href="/{n}">Another story {n}</a></li>' for n in range(12))
    page = f"<body><nav><ul>{links}</ul></nav><article><h1>Wall</h1>{body}</article><footer>© Courier</footer></body>"
    judged = judge(parse(page, "https://courier.example/wall"), None, forest.model())
    assert judged is not None
    texts = [block.text for block in judged.chosen(0.5)]
    assert sum(sentence.strip() in text for text in texts) == 6
    assert not any("Another story" in text or "Courier" in text for text in texts)


def test_an_svg_that_is_never_closed_does_not_swallow_the_page() -> None:
    page = segment(parse("<body><svg><symbol><div><h1>Wall</h1><p>It broke.</p></div></body>", ""))
    assert [block.text for block in page.blocks] == ["Wall", "It broke."]


def test_cells_of_a_data_row_are_one_block_and_layout_columns_are_not() -> None:
    data = segment(parse("<table><tr><td>Ria</td><td>3</td></tr></table>", ""))
    layout = segment(parse("<table><tr><td><p>Menu</p></td><td><p>Text</p></td></tr></table>", ""))
    assert [block.text for block in data.blocks] == ["Ria | 3"]
    assert [block.text for block in layout.blocks] == ["Menu", "Text"]
