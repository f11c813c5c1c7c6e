"""A download handler for Scrapy that serves recorded exchanges instead of the network, and notes what was asked for."""

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from benchmarks.cases.load import Recorded


class Web:
    """All that there is on the network of a case; every other address answers 404."""

    def __init__(self, exchanges: Iterable[Recorded]) -> None:
        self.requests: list[str] = []
        self._answers: dict[str, list[Recorded]] = {}
        self._served: Counter[str] = Counter()
        for one in exchanges:
            self._answers.setdefault(one.url, []).append(one)

    def answer(self, url: str) -> Recorded:
        """The next recorded answer of an address; its last one ever after."""
        if not url.endswith("/robots.txt"):
            self.requests.append(url)
        known = self._answers.get(url, [])
        number = self._served[url]
        self._served[url] += 1
        missing = Recorded(url=url, status=404, headers=(("Content-Type", "text/plain"),), body=b"not found")
        return known[min(number, len(known) - 1)] if known else missing


def handler_of(web: Web) -> type["RecordedHandler"]:
    """A handler class for that web: Scrapy copies all that stands in its settings, except classes."""
    return type("Handler", (RecordedHandler,), {"web": web})


class RecordedHandler(BaseDownloadHandler):
    """Serves one `Web`; see `handler_of`."""

    web: ClassVar[Web]

    async def download_request(self, request: Request) -> Response:
        """Answer as the recorded server did. Raises ResponseDataLossError for a body shorter than announced."""
        found = self.web.answer(request.url)
        headers = {name: [value] for name, value in found.headers}
        announced = next((int(value) for name, value in found.headers if name.lower() == "content-length"), None)
        if announced is not None and found.body and len(found.body) < announced:
            raise ResponseDataLossError(f"{len(found.body)} of {announced} bytes")
        kind = responsetypes.from_args(url=request.url, body=found.body)
        return kind(request.url, status=found.status, headers=headers, body=found.body, request=request)
