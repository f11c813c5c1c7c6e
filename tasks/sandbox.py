"""Reads a page under suspicion in a process of its own, so that a parser that crashes takes nothing else along.

    python -m tasks.sandbox PAGE_ID

A page whose last try began and never ended may have killed its worker, or may just have been there when somebody else
did. Read alone, it shows which.
"""

import os
import signal
import subprocess
import sys

from storage.settings import Settings
from storage.store import Store

_LIMIT_S = 150.0


def crash_of(store: Store, page_id: int, settings: Settings) -> str | None:
    """How the process ended that read this page alone, if it was killed or did not end; None where it ended by itself.

    Errors that a reader raises are no crash: they will be met and told again where the page is processed.
    """
    own = {"COPYDESK_DATABASE": store.engine.url.render_as_string(hide_password=False)}
    own |= {"COPYDESK_ARCHIVE": store.archive.root, "COPYDESK_DATA": str(settings.data)}
    command = [sys.executable, "-m", "tasks.sandbox", str(page_id)]
    environment = {**os.environ, **settings.environment(), **own}
    try:
        done = subprocess.run(command, env=environment, timeout=_LIMIT_S, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"the process that read it alone did not end in {_LIMIT_S:g} seconds"
    if done.returncode >= 0:
        return None
    return f"it killed the process that read it alone: {signal.Signals(-done.returncode).name}"


def main(page_id: int) -> None:
    """Read the page and forget what came of it."""
    from storage import pages  # noqa: PLC0415 - only the child needs them
    from storage.settings import load_settings  # noqa: PLC0415
    from storage.store import open_store  # noqa: PLC0415
    from tasks.extract.recipes import load_recipes  # noqa: PLC0415
    from tasks.loading import material_of  # noqa: PLC0415
    from tasks.pipeline import read  # noqa: PLC0415

    settings = load_settings()
    store = open_store(settings, create=False)
    with store.reading() as tx:
        page = pages.get(tx, page_id)
    read(material_of(store, page, load_recipes(settings.recipes) if settings.recipes else {}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
