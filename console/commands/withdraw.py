"""`copydesk withdraw`: take an article's text out for good, or hide it from readers."""

from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.render import print_facts, print_json

if TYPE_CHECKING:
    from storage.store import Store


@click.command()
@click.argument("url")
@click.option("--reason", required=True, help="Why; kept with the tombstone, and shown to readers.")
@click.option("--keep-text", is_flag=True, help="Only hide it from readers; nothing is deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, url: str, reason: str, keep_text: bool, yes: bool, as_json: bool) -> None:
    """Take the text of an article out of every version, body and archive record; a tombstone and a change row stay.

    This cannot be undone. Copies on other sites are articles or pages of their own, and are withdrawn by their own
    addresses. Files that were exported before are not touched.

    \b
    Example:
      copydesk withdraw https://news.example/2026/captain --reason "court order 4 U 12/26"
      copydesk withdraw https://news.example/2026/draft --reason "published by mistake" --keep-text
    """
    _check_reason(reason)
    with desk.store() as store:
        page_id = _page(store, url)
        if not (keep_text or yes):
            click.confirm(f"Erase for good what was read at {url}?", abort=True)
        facts = _hide(store, page_id, reason) if keep_text else _erase(store, page_id, reason)
    if as_json:
        print_json({"url": url, "reason": reason, **facts}, lines=False)
    else:
        print_facts([("withdrawn", url), *((name.replace("_", " "), value) for name, value in facts.items())])


def _check_reason(reason: str) -> None:
    from storage.withdrawals import GONE

    if not reason.strip():
        raise click.BadParameter("say why", param_hint="--reason")
    if reason.startswith(GONE):
        raise click.BadParameter(f"reasons that begin with {GONE} stand for what sites did", param_hint="--reason")


def _page(store: "Store", url: str) -> int:
    from console import questions
    from storage import erasure

    with store.reading() as tx:
        found = questions.page_at(tx, url)
        return found.id if found else erasure.page_at(tx, questions.key_of(url))


def _hide(store: "Store", page_id: int, reason: str) -> dict[str, Any]:
    from storage import pages, withdrawals
    from storage.errors import NotFound

    with store.reading() as tx:
        article_id = pages.get(tx, page_id).article_id
    if article_id is None:
        raise NotFound(
            "no article was read there, so there is nothing to hide; 'copydesk explain' says what became of it"
        )
    hidden = store.write(lambda tx: withdrawals.mark(tx, article_id, reason, now()))
    return {"article": article_id, "hidden": hidden}


def _erase(store: "Store", page_id: int, reason: str) -> dict[str, Any]:
    from storage.erasure import erase

    done = erase(store, page_id, reason, now())
    counts = {"versions": done.versions, "bodies": done.snapshots, "archive_files_rewritten": done.files}
    return {"article": done.article_id, **counts}
