"""Pages whose template ends the body, or the page, before its article begins."""

import pytest

from tasks.extract.document import parse, text_of

HEAD = "<html><head><title>Tarn</title></head><body><header><a href='/'>Home</a></header>"
REST = "<div class='story'><h1>The ferry</h1><p>The ferry to Tarn runs again.</p></div><footer>Tarn</footer>"


@pytest.mark.parametrize("end", ["</body></html>", "</BODY>\n</HTML>", "</html>", "</body >", "</body>\n</html>\n\n"])
def test_what_follows_is_still_the_bodys(end: str) -> None:
    tree = parse(f"{HEAD}{end}{REST}</body></html>", "https://a.example/").tree
    (paragraph,) = tree.xpath("/html/body//div/p")
    assert text_of(paragraph) == "The ferry to Tarn runs again."
    assert len(tree.xpath("//body")) == 1


def test_a_page_that_ends_once_is_left_as_it_is() -> None:
    script = "<script>write('</body><p>' + '</html>')</script>"
    tree = parse(f"{HEAD}{REST}{script}</body></html><!-- made in 3 ms -->", "https://a.example/").tree
    assert [text_of(one) for one in tree.iter("p")] == ["The ferry to Tarn runs again."]
    assert "write(" in tree.xpath("string(//script)")
