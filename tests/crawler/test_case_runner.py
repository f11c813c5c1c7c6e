"""The runner of recorded cases answers like a server and reads entries like the pipeline."""

from benchmarks.cases.load import Recorded
from benchmarks.cases.perform import _Server, text_of
from storage.records import Hints


def test_a_plain_summary_is_no_markup() -> None:
    assert text_of(Hints(summary="Use a < b & c")) == "Use a < b & c"
    assert text_of(Hints(summary="short", content_html="<p>Whole &amp; body</p>")) == "Whole & body"


def test_a_server_never_sees_a_fragment() -> None:
    page = Recorded(url="https://a.example/x", status=200, headers=(), body=b"")
    server = _Server([page])
    assert server.answer("https://a.example/x#:~:text=ferry") == page
    assert server.requests == ["https://a.example/x"]
