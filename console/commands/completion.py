"""`copydesk completion`: what a shell needs to complete this command."""

import click
from click.shell_completion import get_completion_class

from console.cli import COMPLETE

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that lets bash, zsh or fish complete commands, options, and names of sources.

    \b
    Example:
      copydesk completion bash > ~/.local/share/bash-completion/completions/copydesk
      copydesk completion zsh > "${fpath[1]}/_copydesk"
      copydesk completion fish > ~/.config/fish/completions/copydesk.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    # the script is a template: made here, as `source` would start the shell to ask for its version
    made = found(click.get_current_context().find_root().command, {}, "copydesk", COMPLETE)
    click.echo(made.source_template % made.source_vars())
