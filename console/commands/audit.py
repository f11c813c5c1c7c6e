"""`copydesk audit`: proof that the books balance."""

import click

from console.desk import Desk, now, pass_desk
from console.progress import progress_bar
from console.render import print_json, print_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Prove that every page is accounted for and every archived body can be read. Exit 1 where not.

    \b
    Example:
      copydesk audit
    """
    from console.views import whole
    from storage.audit import audit

    with desk.store() as store, progress_bar(_packed(desk), "reading bodies", shown=not as_json) as advance:
        report = audit(store, now(), progress=lambda _number: advance(1))
    if as_json:
        print_json({**whole(report), "balanced": report.balance.balanced}, lines=False)
    else:
        click.echo(equation(report.balance))
        click.echo(f"{report.bodies_checked} archived bodies read, {len(report.faults)} faults")
        if report.faults:
            print_table(("check", "fault"), [(fault.check, fault.what) for fault in report.faults])
    if report.faults:
        click.get_current_context().exit(1)


def equation(books: object) -> str:
    """The books on one line."""
    parts = ("articles", "duplicates", "rejected", "quarantined", "pending")
    summed = " + ".join(f"{getattr(books, name)} {name}" for name in parts)
    sign = "=" if getattr(books, "balanced", False) else "≠"
    return f"{getattr(books, 'discovered', 0)} pages discovered {sign} {summed}"


def _packed(desk: Desk) -> int:
    from console import questions

    return desk.read(questions.packed)
