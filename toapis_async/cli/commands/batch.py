"""``toapis batch``."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

import click

from toapis_async.cli.options import (
    base_url_option,
    json_option,
    output_option,
    pace_options,
    quiet_option,
    run_option_group,
)
from toapis_async.cli.runs.plans import RunPlan, dry_run, perform
from toapis_async.cli.settings import RunGiven, run_options
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.storage.inputs.prompt_source import PromptSource, is_seekable_file, pipe_form, spool
from toapis_async.wire.table_columns import Columns


class BatchGiven(RunGiven):
    """What click parsed."""

    dry_run: bool
    columns: str | None
    context: str | None


@click.command(
    short_help="Make everything that a file of prompts asks for.",
    epilog="""\b
Examples:
  toapis batch prompts.jsonl -o out
  toapis batch prompts.csv -o out --size 16:9 --max-cost 5 --dry-run
  toapis batch data.parquet -o out --columns prompt=caption,id=key --context label
  make-prompts | toapis batch - -o out --json > outcomes.jsonl""",
)
@click.argument("file", metavar="FILE|-")
@click.option("--columns", metavar="FIELD=COLUMN,…", help="Which column is which field, such as prompt=caption,id=key.")
@click.option(
    "--context",
    metavar="COLUMN,…",
    help="Columns that go into the manifest with each item, or all: every one that is no field. They are not sent.",
)
@output_option
@run_option_group
@pace_options
@base_url_option
@click.option("--dry-run", is_flag=True, help="Check, count and price everything; send nothing. Needs no key.")
@json_option
@quiet_option
def batch(file: str, directory: str, **given: Unpack[BatchGiven]) -> int:
    """Make everything that FILE asks for.

    FILE is .jsonl (an object per line: prompt, and optionally id, model, size, resolution, reference_images, n, extra
    and the other fields of a request), .csv, .parquet or .arrow with columns of the same names, or .txt (a prompt per
    line); - reads JSON Lines from stdin. The whole file is checked before anything is sent. Run the same command
    again, or `toapis resume DIR`, to go on after a stop; nothing is paid for twice.
    """
    terminal = Terminal(as_json=given["as_json"], quiet=given["quiet"])
    with ExitStack() as stack:
        source, references_at, spooled = _source(file, Path(directory), stack, dry=given["dry_run"])
        plan = RunPlan(
            directory=Path(directory),
            options=run_options(given),
            source=source,
            references_at=references_at,
            spooled=spooled,
            columns=Columns.written(given["columns"], given["context"]),
            resubmit_unknown=given["resubmit_unknown"],
            retry_failed=given["retry_failed"],
            resume_with=given["base_url"],
        )
        if given["dry_run"]:
            return run(lambda _: dry_run(plan, terminal), uvloop=given["uvloop"])
        return run(lambda stopper: perform(plan, terminal, stopper), uvloop=given["uvloop"])


def _source(file: str, directory: Path, stack: ExitStack, *, dry: bool) -> tuple[PromptSource, str, bool]:
    """Return the source, where its references begin, and whether it is a copy of what can be read only once."""
    if file != "-":
        source = PromptSource.named(file)
        if is_seekable_file(source.path):
            return source, source.directory, False
    if dry:
        directory = Path(stack.enter_context(TemporaryDirectory()))
    copy = spool(None if file == "-" else Path(file), directory)
    stack.callback(copy.unlink, missing_ok=True)
    name = "stdin" if file == "-" else file
    return PromptSource(path=copy, form=pipe_form(file), name=name), str(Path.cwd()), True
