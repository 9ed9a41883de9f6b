"""``toapis``: the way in, and the way out."""

import sys


def main() -> None:
    """Run the program and leave with its exit code."""
    try:
        import click  # noqa: F401, PLC0415  # an extra: whoever uses the library alone does not need it
    except ImportError:
        sys.stderr.write("The command line is an extra that is not installed.\npip install 'toapis-async[cli]'\n")
        sys.exit(2)
    from toapis_async.cli.collector import tune  # noqa: PLC0415
    from toapis_async.cli.program import run_program  # noqa: PLC0415

    tune()
    sys.exit(run_program())
