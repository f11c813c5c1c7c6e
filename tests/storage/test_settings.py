"""Settings come from defaults < file < environment < options, and a wrong one is named."""

from pathlib import Path

import pytest

from storage.errors import SettingsError
from storage.settings import Settings, describe, load_settings, names


def test_later_places_win_and_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "copydesk.toml"
    file.write_text('delay_s = 2.5\ncontact = "file"\nbatch = 7\n')
    environ = {"COPYDESK_CONTACT": "environment", "COPYDESK_BATCH": "8", "HOME": "elsewhere"}
    settings = load_settings({"batch": 9}, environ=environ, file=file)
    assert (settings.delay_s, settings.contact, settings.batch) == (2.5, "environment", 9)
    assert (settings.origin["delay_s"], settings.origin["contact"]) == (str(file), "environment")
    assert (settings.origin["batch"], settings.origin["timeout_s"]) == ("option", "default")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"COPYDESK_DELAYS": "1"}, "environment: unknown setting 'delays'"),
        ({"COPYDESK_BATCH": "many"}, "environment: batch must be a int, not 'many'"),
        ({"COPYDESK_DELAY_S": "-1"}, "environment: delay_s must not be negative"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(environ=environ, file=tmp_path / "none.toml")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "copydesk.toml"
    file.write_text("delay_s = = 1")
    with pytest.raises(SettingsError, match=r"copydesk\.toml: cannot be read"):
        load_settings(environ={}, file=file)


def test_a_child_process_gets_the_same_settings(tmp_path: Path) -> None:
    parent = load_settings(
        {"data": tmp_path, "allow_addresses": "127.0.0.1, ::1", "delay_s": 0}, environ={}, file=tmp_path / "no"
    )
    assert load_settings(environ=parent.environment(), file=tmp_path / "no") == parent


def test_every_setting_is_described() -> None:
    assert set(describe()) == set(names())
    assert all(text.endswith(".") for text in describe().values())


def test_the_database_defaults_to_the_data_folder(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).database_url == f"sqlite:///{tmp_path}/copydesk.db"
