from crawler.leads import leads_of
from storage.records import Candidate, SourceConfig, Via


def found(*urls: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> tuple[list[str], dict[str, int]]:
    config = SourceConfig(name="a", url="https://a.example/feed", include=include, exclude=exclude)
    leads = leads_of([Candidate(url=url, via=Via.FEED) for url in urls], config)
    return [lead.key for lead in leads.kept], dict(leads.dropped)


def test_a_lead_has_the_canonical_key_and_the_site() -> None:
    leads = leads_of(
        [Candidate(url="https://www.b.example/x?utm_source=feed", via=Via.FEED)], SourceConfig(name="a", url="")
    )
    assert [(lead.key, lead.site) for lead in leads.kept] == [("https://www.b.example/x", "b.example")]
    assert leads.kept[0].candidate.url.endswith("utm_source=feed")


def test_every_drop_is_counted_with_its_reason() -> None:
    keys, dropped = found(
        "https://a.example/news/1",
        "https://a.example/news/video/2",
        "https://a.example/shop/3",
        "mailto:desk@a.example",
        "https://a.example/news/" + "x" * 2000,
        include=("/news/",),
        exclude=("/video/",),
    )
    assert keys == ["https://a.example/news/1"]
    assert dropped == {"excluded": 1, "not_included": 1, "bad_url": 1, "long_url": 1}


def test_without_patterns_all_is_kept() -> None:
    assert found("https://a.example/1", "https://b.example/2")[1] == {}
