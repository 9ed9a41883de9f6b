"""``python -m toapis_async`` is the ``toapis`` program."""

from toapis_async.cli.main import main

main()
