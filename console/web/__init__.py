"""The HTTP door: an API for programs and pages for people, on one store."""

from console.web.app import create_app

__all__ = ["create_app"]
