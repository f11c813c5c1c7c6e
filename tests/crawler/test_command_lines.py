"""Nothing that is secret stands on a command line, where everybody on the machine can read it (proc(5), ps(1))."""

import sys
from pathlib import Path
from typing import Any

import pytest

World = Any  # of conftest.py, which nobody can import
SECRET = "s3cret-of-the-desk"


def _command_lines() -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_crawl_shows_no_setting_and_no_log_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_LOGIN", f"desk:{SECRET}")
    site = world.site(robots="")
    site.add_feed("/feed", ["/a"])
    site.add_pages("/a")
    seen: list[str] = []
    site.watch = lambda: seen.extend(_command_lines())
    world.watch("harbour", site.url("/feed"), basic="DESK_LOGIN")
    world.crawl(contact=f"mailto:{SECRET}@desk.example")
    assert any(SECRET in asked.headers.get("User-Agent", "") for asked in site.log), "the process has the setting"
    assert any("Authorization" in asked.headers for asked in site.log), "and the log-in"
    assert any("crawler.run" in line for line in seen)
    assert not [line for line in seen if SECRET in line]
