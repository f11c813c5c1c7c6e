"""`copydesk web`: the HTTP door."""

import click

from console.desk import Desk, pass_desk


@click.command()
@click.option("--host", help="Address to bind to (setting web_host).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to bind to (setting web_port).")
@pass_desk
def command(desk: Desk, host: str | None, port: int | None) -> None:
    """Serve articles and changes as JSON over HTTP until it is stopped.

    \b
    Example:
      copydesk web
      curl http://127.0.0.1:8000/api/articles
    """
    import uvicorn

    from console.web import create_app

    settings = desk.settings()
    with desk.store(create=True) as store:
        app = create_app(store)
        bound = settings.web_port if port is None else port
        level = settings.log_level.lower()
        uvicorn.run(app, host=host or settings.web_host, port=bound, log_level=level, server_header=False)
