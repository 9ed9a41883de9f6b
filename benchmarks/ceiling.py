"""Images per second of one process that nothing but itself holds up, for several source trees in turn.

    python benchmarks/ceiling.py --tree before=/tmp/before --tree now=. --images 4000 --rounds 5

Each tree's ``toapis batch`` makes the same images from the same file, with its own defaults, no rate limit, a journal,
verification and sync. Beside the images per second of the wall clock, which a busy machine and the stand-in gateway
hold down, it tells images per second of the process's own CPU time: what one core to itself would do. Ratios are
medians of those within a round. Files are kept until the end.
"""

import argparse
import compileall
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
# Times the collector from inside the process, and then is the program.
PROGRAM = """
import gc, json, resource, sys, time
spent = [0, 0, 0]
def hear(phase, info):
    if phase == "start":
        spent[2] = time.thread_time_ns()
    else:
        spent[0] += time.thread_time_ns() - spent[2]
        spent[1] += 1
gc.callbacks.append(hear)
from toapis_async.cli.main import main
note, sys.argv = sys.argv[1], ["toapis", *sys.argv[2:]]
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open(note, "w") as file:
        json.dump({"cpu": used.ru_utime + used.ru_stime, "gc": spent[0] / 1e9, "looks": spent[1],
                   "peak_mib": used.ru_maxrss / 1024}, file)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", action="append", help="NAME=PATH of a checkout; the first is what ratios are to")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=400)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--interval", type=float, default=1.1)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--option", action="append", default=[], help="NAME=OPTION: one more for that tree's program")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    named = (one.split("=", 1) for one in options.tree or [f"now={HERE.parent}"])
    trees = {name: str(Path(path).resolve()) for name, path in named}
    for tree in trees.values():  # as pip leaves an installed package
        compileall.compile_dir(Path(tree, "toapis_async"), quiet=1)
    command = [sys.executable, str(HERE / "gateway.py"), f"--latency={options.latency}", f"--size={options.size}"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    root = Path(tempfile.mkdtemp(prefix="toapis-ceiling-"))
    prompts = root / "prompts.jsonl"
    prompts.write_text(
        "".join(json.dumps({"prompt": f"image {n}", "size": "1:1"}) + "\n" for n in range(options.images))
    )
    try:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        rounds = []
        for number in range(options.rounds):
            order = list(trees.items())[:: -1 if number % 2 else 1]
            rounds.append({name: measure(name, tree, base, root / f"{name}-{number}", options) for name, tree in order})
            print(
                f"round {number + 1}: " + ", ".join(f"{k} {v['per_cpu']:.0f}/s" for k, v in rounds[-1].items()),
                flush=True,
            )
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(root)
    report(trees, rounds, options)


def measure(name: str, tree: str, base: str, out: Path, options: argparse.Namespace) -> dict[str, float]:
    urllib.request.urlopen(f"{base}/books").read()
    note = out.with_suffix(".json")
    command = [sys.executable, "-c", PROGRAM, str(note), "batch", str(out.parent / "prompts.jsonl"), "-o", str(out)]
    command += ["--rate-limit", "none", "--min-poll-interval", str(options.interval), "--quiet", "--base-url", base]
    command += ["--max-concurrency", str(options.in_flight)]
    command += [one.split("=", 1)[1] for one in options.option if one.startswith(f"{name}=")]
    environment = os.environ | {"PYTHONPATH": tree, "TOAPIS_API_KEY": "sk-benchmark"}
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=out.parent)
    wall = time.monotonic() - start
    counts = json.loads(urllib.request.urlopen(f"{base}/books").read())
    if counts["posts"] != options.images or counts["files"] != options.images:
        raise SystemExit(f"{name} did something else: {counts}")
    figures = json.loads(note.read_text())
    return {
        "per_second": options.images / wall,
        "per_cpu": options.images / figures["cpu"],
        "collector": figures["gc"] / figures["cpu"],
        "collections": figures["looks"],
        "looks": counts["looks"] / options.images,
        "peak_mib": figures["peak_mib"],
    }


def report(trees: dict[str, str], rounds: list[dict[str, dict[str, float]]], options: argparse.Namespace) -> None:
    first = next(iter(trees))
    table = {
        name: {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]} for name in trees
    }
    for name, row in table.items():
        row["ratio"] = statistics.median(one[name]["per_cpu"] / one[first]["per_cpu"] for one in rounds)
        row["wall_ratio"] = statistics.median(one[name]["per_second"] / one[first]["per_second"] for one in rounds)
    print(f"{options.images} images of {options.size} bytes, {options.in_flight} in flight, {options.rounds} rounds")
    print("tree       images/s   images/CPU s   ratio (CPU)   ratio (wall)   collector   looks   peak MiB")
    for name, row in table.items():
        ratios = f"{row['ratio']:>13.2f} {row['wall_ratio']:>14.2f} {row['collector']:>11.1%}"
        print(f"{name:<10} {row['per_second']:>8.0f} {row['per_cpu']:>14.0f} {ratios}", end="")
        print(f" {row['looks']:>7.2f} {row['peak_mib']:>10.0f}")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
