"""Characters that no database takes."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without what PostgreSQL refuses: U+0000 goes, a lone surrogate becomes U+FFFD."""
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)
