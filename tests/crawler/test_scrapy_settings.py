"""What Scrapy could open or do by itself is off, under the names that Scrapy really has."""

import pytest
from scrapy.settings import default_settings

from crawler.scrapy_settings import build
from storage.settings import Settings

OURS = {"COPYDESK_ALLOWED_ADDRESSES"}


@pytest.mark.parametrize(
    "name", ["TELNETCONSOLE", "REMOTE_CONTROL", "HTTPCACHE", "COOKIES", "REDIRECT", "METAREFRESH", "RETRY", "HTTPPROXY"]
)
def test_what_is_to_be_off_is_off(name: str) -> None:
    assert build(Settings())[f"{name}_ENABLED"] is False


def test_certificates_are_verified_and_only_http_is_spoken() -> None:
    found = build(Settings())
    assert found["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert {name for name, handler in found["DOWNLOAD_HANDLERS"].items() if handler} == {"http", "https"}
    assert set(found["DOWNLOAD_HANDLERS"]) >= set(default_settings.DOWNLOAD_HANDLERS_BASE)


def test_each_setting_is_one_of_scrapys() -> None:
    assert set(build(Settings())) - OURS <= set(dir(default_settings)), "a setting that nobody reads"
