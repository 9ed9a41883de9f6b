"""``toapis batch``."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack, get_args

import attrs
import click

from toapis_async.cli.options import (
    base_url_option,
    json_option,
    output_option,
    pace_options,
    quiet_option,
    run_option_group,
)
from toapis_async.cli.runs.output_place import refuse_a_file
from toapis_async.cli.runs.plans import RunPlan, dry_run, perform
from toapis_async.cli.settings import RunGiven, run_options
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.storage.inputs.prompt_source import PromptSource, is_seekable_file, pipe_form, spool
from toapis_async.values.files import is_address
from toapis_async.wire.prompt_files import PromptForm
from toapis_async.wire.table_columns import Columns


class BatchGiven(RunGiven):
    """What click parsed."""

    dry_run: bool
    form: PromptForm | None
    comments: bool | None
    columns: str | None
    context: str | None
    journal: str | None


@click.command(
    short_help="Make everything that a file of prompts asks for.",
    epilog="""\b
Examples:
  toapis batch prompts.jsonl -o out
  toapis batch prompts.csv -o out --size 16:9 --max-cost 5 --dry-run
  toapis batch data.parquet -o out --columns prompt=caption --context label
  toapis batch prompts.jsonl -o s3://bucket/july --journal runs/july
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
@click.option(
    "--journal",
    metavar="DIR",
    help="Where the run is remembered, when that is not the output directory; needed for a bucket (-o s3://…).",
)
@run_option_group
@pace_options
@base_url_option
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(PromptForm)),
    help="How FILE is written, whatever its name.  [by its name; jsonl for -]",
)
@click.option(
    "--comments/--no-comments",
    default=None,
    help="Whether lines of a .txt that begin with # are comments.  [they are prompts]",
)
@click.option("--dry-run", is_flag=True, help="Check, count and price everything; send nothing. Needs no key.")
@json_option
@quiet_option
def batch(file: str, directory: str, **given: Unpack[BatchGiven]) -> int:
    """Make everything that FILE asks for.

    FILE is .jsonl (an object per line: prompt, and optionally id, model, size, resolution, reference_images, n, extra
    and the other fields of a request), .csv, .parquet or .arrow with columns of the same names, or .txt (a prompt per
    line); - reads JSON Lines, or what --format says, from stdin. Blank lines are skipped. The whole file is checked
    before anything is sent. Run the same command again, or `toapis resume DIR`, to go on after a stop; nothing is paid
    for twice.
    """
    terminal = Terminal(as_json=given["as_json"], quiet=given["quiet"])
    remembered_at = _remembered_at(directory, given["journal"])
    with ExitStack() as stack:
        source, references_at, spooled = _source(file, remembered_at, stack, given)
        plan = RunPlan(
            directory=remembered_at,
            files_at="" if given["journal"] is None else directory,
            options=run_options(given),
            source=source,
            references_at=references_at,
            spooled=spooled,
            columns=Columns.written(given["columns"], given["context"]),
            resubmit_unknown=given["resubmit_unknown"],
            retry_failed=given["retry_failed"],
            resume_with=given["base_url"],
            print_paths=given["print_paths"],
        )
        if given["dry_run"]:
            return run(lambda _: dry_run(plan, terminal), uvloop=given["uvloop"])
        return run(lambda stopper: perform(plan, terminal, stopper), uvloop=given["uvloop"])


def _remembered_at(directory: str, journal: str | None) -> Path:
    if journal is None and is_address(directory):
        raise click.UsageError("For a bucket, say with --journal DIR where on this machine the run is remembered.")
    return Path(directory if journal is None else journal)


def _source(file: str, directory: Path, stack: ExitStack, given: BatchGiven) -> tuple[PromptSource, str, bool]:
    """Return the source, where its references begin, and whether it is a copy of what can be read only once."""
    form = given["form"]
    if file != "-":
        source = attrs.evolve(PromptSource.named(file, form), comments=bool(given["comments"]))
        if is_seekable_file(source.path):
            return source, source.directory, False
    refuse_a_file(directory)
    if given["dry_run"]:
        directory = Path(stack.enter_context(TemporaryDirectory()))
    copy = spool(None if file == "-" else Path(file), directory)
    stack.callback(copy.unlink, missing_ok=True)
    name = "stdin" if file == "-" else file
    return (
        PromptSource(path=copy, form=form or pipe_form(file), name=name, comments=bool(given["comments"])),
        str(Path.cwd()),
        True,
    )
