"""`copydesk up` hands settings to its programs by the environment, which is their own, not by command lines."""

from pathlib import Path

from storage.settings import load_settings
from tasks.broker import embedded
from tasks.up import _children

SECRET = "s3cret"


def test_no_command_line_of_up_tells_a_secret(tmp_path: Path) -> None:
    given = {
        "data": tmp_path,
        "database": f"postgresql://desk:{SECRET}@db.example/news",
        "broker": f"redis://:{SECRET}@broker.example/0",
        "archive": f"s3://{SECRET}@bucket/archive",
    }
    settings = load_settings(given, environ={}, file=tmp_path / "none.toml")
    children = _children(settings, ["copydesk", "web"])
    assert len(children) == 4
    assert all(SECRET in child.environment["COPYDESK_DATABASE"] for child in children)
    words = [word for child in children for word in child.command] + embedded(settings.data).command()
    assert not [word for word in words if SECRET in word]
