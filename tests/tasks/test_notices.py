"""Lines that a newsroom prints into its articles without telling anything of the story."""

import pytest

from tasks.extract.junk import is_junk


@pytest.mark.parametrize(
    "line",
    [
        "[ Also read: The ferry runs again ]",
        "→ Learn more about our ferries",
        "You might also like: The ferry of Tarn",
        "WATCH | The first trip of the new ferry",
        "Zum Artikel: Die Fähre fährt wieder",
        "Citeşte şi: Feribotul circulă din nou",
        "इसे भी पढ़ें: नौका फिर चली",
        "© Tarn Press/Ada Lindqvist",
        "Disclosure: This post contains affiliate links. If you buy by them, we get a little.",
        "When you buy through links on this page, we may earn a commission.",
        "Mit Sternchen gekennzeichnet sind Affiliate-Links: Kaufen Sie darüber, erhalten wir eine Provision.",
        "An dieser Stelle finden Sie einen von der Redaktion gewählten Inhalt.",
        "ⓒ 산골일보, 무단 전재 및 재배포 금지",
        "本誌に掲載された記事の無断転載を禁じます。",
        "Pictured from left: Ada Lindqvist and Bruno Okafor on the pier.",
    ],
)
def test_a_notice_is_boilerplate(line: str) -> None:
    assert is_junk(line)


@pytest.mark.parametrize(
    "line",
    [
        "You might have liked the old ferry better.",
        "© is the sign by which a holder of rights names himself, and the court of Tarn had to say how large it may be "
        "printed on a ferry.",
        "The salesman said that he would earn a good commission. " * 9,
        "The commission of Tarn met on Monday.",
        "- The ferry runs on Mondays.",
    ],
)
def test_prose_is_none(line: str) -> None:
    assert not is_junk(line)
