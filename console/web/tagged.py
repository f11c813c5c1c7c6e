"""Answers that a caller need not fetch twice."""

import hashlib
import json
from typing import Any

from fastapi import Request, Response


def tagged(request: Request, content: Any) -> Response:
    """The content as JSON with an ETag of its bytes, or 304 where the caller has it already (RFC 9110, 13.1.2)."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})
