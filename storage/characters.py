"""Characters that no database takes."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without what PostgreSQL refuses: U+0000 goes, a lone surrogate becomes U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "")
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def in_xml(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold (section 2.2)."""
    return _NOT_XML.sub("", text)
