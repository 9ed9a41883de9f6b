"""How an error that ends the program is told, to people and to machines."""

from contextlib import suppress

from toapis_async.cli.exits import Exit, exit_of
from toapis_async.cli.formatting.json_forms import error_form
from toapis_async.cli.terminal.streams import StdoutClosedError, Terminal, complain, error_text, printable
from toapis_async.errors import ToAPIsError


def refuse(error: ToAPIsError, *, as_json: bool, task_id: str | None = None) -> Exit:
    """Tell an error and return the exit code.

    Args:
        error: what ended the program.
        as_json: whether results are JSON; then the error is one too.
        task_id: the task that exists, and may be paid for, all the same; None where there is none.

    """
    code = exit_of(error)
    complain(printable(error_text(error)))
    if as_json:
        form = error_form(error) | ({} if task_id is None else {"task_id": task_id})
        with suppress(StdoutClosedError):
            Terminal(as_json=True).result_json({"type": "error", "error": form, "exit_code": code})
    return code
