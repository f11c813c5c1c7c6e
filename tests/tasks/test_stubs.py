"""Pages that hold less than an article: the line where the text breaks off, offers, rights, and missing pages."""

from __future__ import annotations

import pytest

from storage.records import Access, Block, BlockKind
from tasks.extract.access import find_access
from tasks.extract.document import parse
from tasks.extract.junk import without_junk, without_repeats
from tasks.extract.lexicon import fold, lexicon

TEASER = "The harbour board met on Monday and agreed to move the ferry to the other quay before the summer begins."
GATES = [
    "To continue reading, create a free account or sign in.",
    "Il vous reste 72 % de cet article à lire. La suite est réservée aux abonnés.",
    "Weiterlesen mit Bote+",
    "この記事は有料会員限定です。残り1240文字",
    "本文为付费内容，订阅后可阅读全文。",
    "Denne saken er for abonnenter.",
    "Полный текст доступен только подписчикам.",
    "Conteúdo exclusivo para assinantes. Já é assinante? Entre.",
]


def paragraphs(*texts: str) -> tuple[Block, ...]:
    return tuple(Block(kind=BlockKind.PARAGRAPH, text=text) for text in texts)


@pytest.mark.parametrize("gate", GATES)
def test_a_line_that_asks_for_a_subscription_marks_a_page_with_little_text(gate: str) -> None:
    document = parse(f"<body><main><p>{TEASER}</p><p>{gate}</p></main></body>", "https://a.example/1")
    best = find_access(document, None, TEASER)[0]
    assert (best.value, best.source) == (Access.PAYWALL, "text:gate")
    assert find_access(document, {"isAccessibleForFree": True}, TEASER)[0].value is Access.FREE
    assert find_access(document, None, TEASER * 20) == ()
    label = f"<body><ul><li>{gate} Another story</li></ul><main><p>{TEASER}</p></main></body>"
    assert find_access(parse(label, "https://a.example/1"), None, TEASER) == ()


@pytest.mark.parametrize("gate", GATES)
def test_the_line_and_the_offer_behind_it_are_no_text(gate: str) -> None:
    blocks = paragraphs(TEASER, gate, "Read without limits from one euro a month.")
    assert [block.text for block in without_repeats(blocks, ())] == [TEASER]
    assert [block.text for block in without_junk(blocks, ())] == [TEASER]


def test_prose_behind_such_a_line_stays() -> None:
    blocks = paragraphs(TEASER, GATES[0], TEASER.replace("Monday", "Tuesday") * 4)
    assert [block.text for block in without_repeats(blocks, ())] == [blocks[0].text, blocks[2].text]


@pytest.mark.parametrize(
    "line",
    [
        "© 2026 The Tarn Post. Distributed by Coastal Content.",
        "Copyright 2026 The Tarn Post. All rights reserved.",
        "[Suscríbase a nuestro boletín diario y reciba las noticias en su correo]",
    ],
)
def test_rights_and_calls_in_brackets_are_no_text(line: str) -> None:
    blocks = paragraphs(TEASER, line)
    assert [block.text for block in without_repeats(blocks, ())] == [TEASER]
    assert [block.text for block in without_junk(blocks, ())] == [TEASER]


@pytest.mark.parametrize(
    "title",
    [
        "Este artículo ya no está disponible",
        "抱歉，您访问的页面不存在",
        "ไม่พบหน้าที่คุณต้องการ",
        "Stranica nije pronađena",
        "Страницата не е намерена",
    ],
)
def test_the_title_of_a_missing_page(title: str) -> None:
    found = lexicon().not_found.search(fold(title))
    assert found is not None
    assert len(found[0]) >= 0.55 * len(title)


@pytest.mark.parametrize(
    "line",
    [
        "De tekst gaat verder onder de foto.",
        "Story continues below advertisement",
        "Juttu jatkuu kuvan alla.",
        "Нашли ошибку? Выделите текст и нажмите Ctrl+Enter.",
        "আরও পড়ুন: ঘাটে নতুন বাতি",
        "（責任編輯：張石）",
        "무단전재 및 재배포 금지",
        "Ακολουθήστε μας στα κοινωνικά δίκτυα",
    ],
)
def test_pointers_and_calls_in_many_languages(line: str) -> None:
    assert [block.text for block in without_junk(paragraphs(TEASER, line), ())] == [TEASER]
