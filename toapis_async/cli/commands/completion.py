"""``toapis completion``."""

import click
from click.shell_completion import get_completion_class

from toapis_async.cli.exits import Exit
from toapis_async.cli.terminal.streams import Terminal

_VARIABLE = "_TOAPIS_COMPLETE"


@click.command(
    short_help="Print what makes a shell complete commands.",
    epilog="""\b
Examples:
  eval "$(toapis completion bash)"
  toapis completion zsh > ~/.zfunc/_toapis
  toapis completion fish > ~/.config/fish/completions/toapis.fish""",
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print a script that makes SHELL complete the commands and options of toapis."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"This version of click knows no completion for {shell}.")
    Terminal().result(kind(context.find_root().command, {}, "toapis", _VARIABLE).source())
    return Exit.DONE
