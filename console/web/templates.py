"""Pages from templates; every value is escaped, whatever it holds."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console import words

FOLDER = Path(__file__).parent


def page(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """The template with its values. `caller` is there where the route asked who calls."""
    text = environment().get_template(template).render(request=request, **values)
    return HTMLResponse(text, status, headers)


@lru_cache(1)
def environment() -> Environment:
    """The templates' environment, made once."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"when": words.when, "size": words.size, "span": words.span, "hour": words.hour}
    made.tests["link"] = words.is_link
    return made
