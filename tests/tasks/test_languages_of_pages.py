"""What pages in languages with fewer readers print around their articles is known as well."""

from datetime import UTC, datetime

import pytest

from storage.records import Access
from tasks.extract.access import find_access
from tasks.extract.datetext import Context, spot
from tasks.extract.document import parse
from tasks.extract.junk import is_junk
from tasks.extract.lexicon import fold, lexicon
from tasks.extract.names import split_names

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("te", "14 ఏప్రిల్ 2026"),
        ("ka", "14 აპრილი, 2026"),
        ("hy", "14 ապրիլի, 2026"),
        ("az", "14 aprel 2026"),
        ("kk", "14 сәуір 2026"),
        ("ne", "अप्रिल १४, २०२६"),
        ("sq", "14 Prill 2026"),
        ("mk", "14 април 2026"),
        ("mr", "१४ एप्रिल २०२६"),
        ("be", "14 красавіка 2026"),
        ("eu", "2026ko apirilaren 14a"),
    ],
)
def test_months(language: str, text: str) -> None:
    days = [one.at.date().isoformat() for one in spot(text, Context(now=NOW, zone=UTC, language=language))]
    assert days == ["2026-04-14"]


@pytest.mark.parametrize(
    "text",
    [
        "3 tundi tagasi",
        "3 மணி நேரம் முன்பு",
        "3 గంటల క్రితం",
        "३ घण्टा अगाडि",
        "3 saat əvvəl",
        "3 საათის წინ",
        "৩ ঘণ্টা আগে",
        "3 ชั่วโมงที่แล้ว",
        "3 сағат бұрын",
        "3 orë më parë",
        "3 ժամ առաջ",
        "pre 3 sata",
    ],
)
def test_hours_ago(text: str) -> None:
    assert [one.at.hour for one in spot(text, Context(now=NOW, zone=UTC))] == [9]


@pytest.mark.parametrize(
    "text", ["Позавчера в 18:20", "vorgestern, 18:20", "avant-hier à 18:20", "toissapäivänä 18.20"]
)
def test_the_day_before_yesterday(text: str) -> None:
    assert [one.at.strftime("%d %H:%M") for one in spot(text, Context(now=NOW, zone=UTC))] == ["13 18:20"]


@pytest.mark.parametrize(
    ("changed", "published"),
    [
        ("Zadnja izmjena: 14.04.2026.", "Objavljeno: 11.04.2026."),
        ("Обновена на 14 април 2026", "Публикувана на 11 април 2026"),
        ("Aktualizované 14. 4. 2026", "Zverejnené 11. 4. 2026"),
        ("Atnaujinta 2026-04-14", "Paskelbta 2026-04-11"),
    ],
)
def test_labels_of_dates(changed: str, published: str) -> None:
    words = lexicon()
    assert words.updated.search(fold(changed))
    assert not words.published.search(fold(changed))
    assert words.published.search(fold(published))
    assert not words.updated.search(fold(published))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Пише: Јелена Перић", ["Јелена Перић"]),
        ("Autorė: Morta Jonaitė", ["Morta Jonaitė"]),
        ("Napísal: Jozef Kováč", ["Jozef Kováč"]),
        ("Oleh Osman Halim", ["Osman Halim"]),
        ("Texto: Porfirio Imaz | Fotografías: Rosa Imaz", ["Porfirio Imaz"]),
        ("Спецкор Авдей Волков, Тарн", ["Авдей Волков"]),
        ("文・写真＝小波ゆき", ["小波ゆき"]),
    ],
)
def test_bylines(line: str, names: list[str]) -> None:
    assert split_names(line)[: len(names)] == names


@pytest.mark.parametrize(
    "line",
    [
        "Iratkozzon fel hírlevelünkre, és minden reggel elküldjük a híreket.",
        "Последвайте ни в социалните мрежи",
        "Tekst se nastavlja ispod oglasa",
        "Článok pokračuje pod reklamou",
        "Prenumeruokite mūsų naujienlaiškį",
        "Raksts turpinās pēc reklāmas",
        "Telli uudiskiri ja saad hommikuti värsked uudised.",
        "Subscriu-te al nostre butlletí",
        "Langgan buletin kami",
        "Забрањено преношење садржаја без дозволе редакције.",
        "※ 本文未經授權請勿轉載",
        "扫描二维码关注我们的公众号",
    ],
)
def test_calls(line: str) -> None:
    assert is_junk(line)


@pytest.mark.parametrize(
    "gate",
    [
        "Ez a cikk csak előfizetőink számára érhető el.",
        "Tento článok je určený iba pre predplatiteľov.",
        "Tento článek je dostupný pouze předplatitelům.",
        "Artikli lugemiseks on vaja digitellimust.",
        "Za čitanje cijelog članka potrebna je pretplata.",
        "この記事は会員限定です。",
        "This post is for paying subscribers only",
    ],
)
def test_gates(gate: str) -> None:
    text = "The ferry will run all winter, the board said on Monday."
    document = parse(f"<html><body><article><p>{text}</p><p>{gate}</p></article></body></html>", "https://a.example/b")
    assert [finding.value for finding in find_access(document, None, text)] == [Access.PAYWALL]


@pytest.mark.parametrize(
    "title",
    [
        "A keresett oldal nem található",
        "找不到您要的頁面",
        "Faqja nuk u gjet",
        "Səhifə tapılmadı",
        "Старонка не знойдзена",
    ],
)
def test_missing_pages(title: str) -> None:
    found = lexicon().not_found.search(fold(title))
    assert found is not None
    assert len(found[0]) >= len(title) * 0.55


def test_no_language_takes_the_word_of_another_for_a_month() -> None:
    assert split_names("Kan Chu Sen") == ["Kan Chu Sen"]
    assert lexicon().months["mar"] == 3
