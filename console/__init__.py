"""The doors for people and programs: command line and HTTP. Nothing imports this package."""
