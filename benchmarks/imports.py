"""What importing costs: CPU of a fresh interpreter, median of several.

python benchmarks/imports.py
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

STATEMENTS = ("import aiohttp", "import toapis_async", "from toapis_async import AsyncToAPIs")
PROBE = "import time; start = time.process_time(); {}; print(time.process_time() - start)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(options.rounds):
        for statement in STATEMENTS:
            run = subprocess.run([sys.executable, "-c", PROBE.format(statement)], check=True, capture_output=True)
            figures[statement].append(float(run.stdout))
    base = statistics.median(figures["import aiohttp"])
    table = {statement: statistics.median(seconds) for statement, seconds in figures.items()}
    print("statement                                  cpu ms   ratio")
    for statement, seconds in table.items():
        print(f"{statement:<40} {seconds * 1e3:>8.1f} {seconds / base:>7.2f}")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
