"""Bylines as pages print them: names only, in order, with what else is credited kept apart."""

import pytest

from tasks.extract.names import distinct, is_plain_name, names_beside_date, plain_name, read_byline


@pytest.mark.parametrize(
    "text",
    [
        "By Anna Kowal",
        "BY: Anna Kowal",
        "Written by Anna Kowal",
        "Posted by Anna Kowal on Tuesday",
        "Posted on 4 March 2026 by Anna Kowal",
        "A column by Anna Kowal",
        "Von Anna Kowal",
        "Eine Kolumne von Anna Kowal",
        "Text & Fotos: Anna Kowal",
        "Autorin: Anna Kowal",
        "Erstellt von Anna Kowal am Dienstag 4. März 2026",
        "Par Anna Kowal",
        "Propos recueillis par Anna Kowal",
        "Auteur : Anna Kowal",
        "Por Anna Kowal",
        "Escrito por Anna Kowal",
        "Di Anna Kowal",
        "A cura di Anna Kowal",
        "Door Anna Kowal",
        "Av Anna Kowal",
        "Af Anna Kowal",
        "Autor: Anna Kowal",
        "Yazan Anna Kowal",
        "Автор: Anna Kowal",
        "Oleh Anna Kowal",
    ],
)
def test_what_introduces_a_byline_is_no_part_of_the_name(text: str) -> None:
    assert read_byline(text).people == ("Anna Kowal",)


@pytest.mark.parametrize(
    "text",
    [
        "Anna Kowal, Business Correspondent",
        "Staff Writer Anna Kowal",
        "Redakteurin Anna Kowal",
        "Anna Kowal, Berlin",
        "Anna Kowal, New York",
        "Anna Kowal in Berlin",
        "Anna Kowal aus Hamburg",
        "Anna Kowal in Business",
        "Anna Kowal @akowal",
        "Anna Kowal (@akowal)",
        "Anna Kowal, anna@tarnpost.example",
        "Anna Kowal, M.D., Ph.D.",
        "Prof. Dr. Anna Kowal",
        "Anna Kowal 4 March 2026",
        "Anna Kowal | 4 March 2026, 09:15 | 3 min read",
        "Anna Kowal and",
        "Kowal, Anna",
        "By Anna Kowal Illustration by Jon Reed",
        "Text von Anna Kowal Fotos von Jon Reed",
    ],
)
def test_jobs_places_handles_days_and_degrees_are_no_part_of_the_name(text: str) -> None:
    assert read_byline(text).people == ("Anna Kowal",)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Anna Kowal and Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Jon Reed, Anna Kowal and Lea Brook", ("Jon Reed", "Anna Kowal", "Lea Brook")),
        ("Jon Reed & Anna Kowal", ("Jon Reed", "Anna Kowal")),
        ("Jon Reed; Anna Kowal", ("Jon Reed", "Anna Kowal")),
        ("Jon Reed / Anna Kowal", ("Jon Reed", "Anna Kowal")),
        ("Anna Kowal und Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Anna Kowal im Gespräch mit Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Anna Kowal et Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Anna Kowal y Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Anna Kowal og Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Anna Kowal och Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("Kowal, A.", ("A. Kowal",)),
        ("J. R. Reed", ("J. R. Reed",)),
        ("Anna B. Kowal", ("Anna B. Kowal",)),
        ("van der Berg, Anna", ("Anna van der Berg",)),
        ("Ludwig van der Berg", ("Ludwig van der Berg",)),
        ("Rosa de la Cruz", ("Rosa de la Cruz",)),
        ("Amir bin Yusuf", ("Amir bin Yusuf",)),
        ("Ruby O’Dell-Staby", ("Ruby O’Dell-Staby",)),
        ("Abby Norbye", ("Abby Norbye",)),
        ("Renée d'Arcy", ("Renée d'Arcy",)),
        ("Anna O&amp;#39;Dell", ("Anna O'Dell",)),
        ("By Anna Kowal &amp;amp; Jon Reed", ("Anna Kowal", "Jon Reed")),
        ("作者：张伟", ("张伟",)),
        ("张伟、李娜", ("张伟", "李娜")),
        ("김민준 기자", ("김민준",)),
        ("Автор: Анна Петрова", ("Анна Петрова",)),
        ("بقلم محمد حسن", ("محمد حسن",)),
        ("Γιώργος Νικολάου", ("Γιώργος Νικολάου",)),
    ],
)
def test_several_names_stay_in_order_and_whole(text: str, people: tuple[str, ...]) -> None:
    assert read_byline(text).people == people


@pytest.mark.parametrize(
    ("text", "people", "others"),
    [
        ("Reuters", (), ("Reuters",)),
        ("Anna Kowal, dpa", ("Anna Kowal",), ("dpa",)),
        ("AFP / Anna Kowal", ("Anna Kowal",), ("AFP",)),
        ("Anna Kowal, TARN RADIO NORTH", ("Anna Kowal",), ("TARN RADIO NORTH",)),
        ("Staff", (), ("Staff",)),
        ("Redaktion", (), ("Redaktion",)),
        ("Tarn Post Staff", (), ("Tarn Post Staff",)),
        ("来源：新华网", (), ("新华网",)),
        ("Quelle: Tarn Rundschau", (), ("Tarn Rundschau",)),
        ("Photo by Anna Kowal", (), ()),
        ("Edited by Anna Kowal", (), ()),
        ("Last Updated", (), ()),
        ("4 March 2026", (), ()),
        ("https://tarnpost.example/anna", (), ()),
    ],
)
def test_houses_are_credited_and_are_no_persons(text: str, people: tuple[str, ...], others: tuple[str, ...]) -> None:
    found = read_byline(text)
    assert (found.people, found.others) == (people, others)


def test_the_site_is_no_author() -> None:
    assert read_byline("Tarn Courier", frozenset(("tarn courier",))).people == ()


def test_duplicates_are_one_person() -> None:
    assert distinct(["ANNA KOWAL", "Jon Reed", "Anna Kowal", "J. R. Poe", "J R Poe"]) == (
        "Anna Kowal",
        "Jon Reed",
        "J. R. Poe",
    )


@pytest.mark.parametrize(
    "text",
    [
        "4 March 2026 • Anna Kowal in Business",
        "04.03.2026 | 13:10 | Anna Kowal",
        "Anna Kowal, 04.03.2026",
        "Posted 4 March 2026 by Anna Kowal",
    ],
)
def test_a_line_with_a_day_names_the_writer(text: str) -> None:
    assert names_beside_date(text) == ["Anna Kowal"]


def test_a_line_with_a_day_and_no_full_name_names_nobody() -> None:
    assert names_beside_date("Saturday December 4 2026 | Business | Read PDF") == []


@pytest.mark.parametrize("text", ["Anna Kowal", "Anna Kowal and Jon Reed", "Anna Kowal, Ludwig van der Berg"])
def test_a_plain_line_of_names(text: str) -> None:
    assert is_plain_name(text)
    assert plain_name(f"• {text} in Business") == text


@pytest.mark.parametrize(
    "text", ["Business", "New York", "Read more", "Print Recipe", "DPA AFP", "The Harbour", "Saturday December"]
)
def test_a_plain_line_that_may_be_something_else_names_nobody(text: str) -> None:
    assert not is_plain_name(text)
