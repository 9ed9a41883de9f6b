"""The program: its commands, and what becomes of every way in which one can end."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from toapis_async._version import __version__
from toapis_async.cli.exits import Exit
from toapis_async.cli.terminal.refusing import refuse
from toapis_async.cli.terminal.streams import (
    StdoutClosedError,
    close_streams,
    complain,
    printable,
    set_up_streams,
    silence_stdout,
)
from toapis_async.errors import ToAPIsError
from toapis_async.policy.requests.spelling import did_you_mean

_LOG_VARIABLE = "TOAPIS_LOG"

_EXTRAS = {"rich": "cli", "PIL": "report", "pyarrow": "arrow"}
_COMMANDS = (
    "generate",
    "batch",
    "resume",
    "status",
    "balance",
    "models",
    "report",
    "export",
    "explain",
    "simulate",
    "demo",
    "completion",
)


class Commands(click.Group):
    """Imports a command when it is asked for: the help of one costs nothing of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name them in the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"toapis_async.cli.commands.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and name not in _COMMANDS:
            raise click.UsageError(f"There is no command {name!r}{did_you_mean(name, _COMMANDS)}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="The key comes from TOAPIS_API_KEY and from nowhere else. Without one: toapis demo -o out",
)
@click.version_option(__version__, prog_name="toapis", message="%(prog)s %(version)s")
def program() -> None:
    """Prompts in, image files on disk, through the ToAPIs gateway."""


def run_program(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the program's exit code.

    Args:
        arguments: None for those of the process.

    """
    set_up_streams()
    _set_up_logging()
    try:
        return _run(arguments)
    finally:
        close_streams()


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = program.main(arguments, prog_name="toapis", standalone_mode=False)
    except click.ClickException as error:
        complain(printable(_usage(error)))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except ToAPIsError as error:
        return refuse(error, as_json="--json" in (sys.argv if arguments is None else arguments))
    except (StdoutClosedError, BrokenPipeError):
        silence_stdout()
        return Exit.DONE
    except ImportError as error:
        return _missing(error)
    except (OSError, MemoryError) as error:
        return _refused_by_the_system(error)
    except Exception as error:  # noqa: BLE001  # the last resort: never a traceback at a user who did not ask for one
        return _unexpected(error)
    return code if isinstance(code, int) else Exit.DONE


def _usage(error: click.ClickException) -> str:
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # since click 8.2
        return error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = [f"Error: {error.format_message()}"]
    if isinstance(error, click.NoSuchOption) and "key" in error.option_name:
        lines.append("The key comes from TOAPIS_API_KEY: an option would show it to everybody on this machine.")
    if context is not None:
        lines.append(f"See {context.command_path} --help.")
    return "\n".join(lines)


def _missing(error: ImportError) -> int:
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return _unexpected(error)
    complain(f"Error: this needs {package}, which is not installed.\npip install 'toapis-async[{_EXTRAS[package]}]'")
    return Exit.INVALID


def _refused_by_the_system(error: OSError | MemoryError) -> int:
    """Tell what the machine refused: no defect, and nothing that was paid for is lost."""
    place = getattr(error, "filename", None)
    said = getattr(error, "strerror", None) or str(error) or "there is no memory left"
    complain(printable(f"Error: the system refused: {said}{'' if place is None else f' ({place})'}."))
    complain("Nothing that was paid for is lost. Mend that, then go on: toapis resume DIR")
    _trace(error)
    return Exit.UNFINISHED


def _trace(error: BaseException) -> bool:
    if os.environ.get(_LOG_VARIABLE, "").lower() != "debug":
        return False
    complain("".join(traceback.format_exception(error)))
    return True


def _unexpected(error: Exception) -> int:
    complain(printable(f"Error: something went wrong that should not: {type(error).__name__}: {error}"))
    if not _trace(error):
        complain(
            "This is a defect of toapis-async. Nothing that was paid for is lost: a run can be resumed (toapis resume "
            f"DIR).\nTo report it, run the command again with {_LOG_VARIABLE}=debug and add what it prints."
        )
    return Exit.UNEXPECTED


def _set_up_logging() -> None:
    level = os.environ.get(_LOG_VARIABLE, "").upper()
    if level in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
