"""Lets `python -m console` do what the `copydesk` command does."""

from console.cli import main

if __name__ == "__main__":
    main()
