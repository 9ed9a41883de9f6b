"""CPU and wall per image against a script by hand, an httpx client, and requests with threads, in turn.

    python benchmarks/cpu.py --images 1000 --rounds 5

All clients talk to one server process and make the same images with the same number of looks. The figures are medians
over the rounds, and the ratios are medians of the ratios within a round, since machines are noisy. What was made is
kept until the end: creating files soon after many were deleted costs ext4 half a millisecond each, for every client
alike, and would drown what is measured.
"""

import argparse
import compileall
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CLIENTS = ("by_hand", "ours", "ours_bare", "httpx", "requests")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--interval", type=float, default=0.4)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--clients", default=",".join(CLIENTS))
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    clients = options.clients.split(",")
    # As pip leaves an installed package. Told to write no bytecode, every client would compile two hundred modules.
    compileall.compile_dir(HERE.parent / "toapis_async", quiet=1)
    server = subprocess.Popen(
        [
            sys.executable,
            str(HERE / "gateway.py"),
            f"--latency={options.latency}",
            f"--size={options.size}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    root = Path(tempfile.mkdtemp(prefix="toapis-benchmark-"))
    try:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        rounds = [
            {name: measure(name, base, root / f"{name}-{number}", options) for name in clients}
            for number in range(options.rounds)
        ]
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(root)
    table = {name: summary(name, rounds) for name in clients}
    print(f"{options.images} images, {options.in_flight} in flight, {options.size} bytes each, {options.rounds} rounds")
    print("client     cpu µs/image   of it user   ratio to by_hand   looks/image   wall s   peak MiB")
    for name, row in table.items():
        print(
            f"{name:<10} {row['cpu_us']:>12.0f} {row['user_us']:>12.0f} {row['ratio']:>18.2f} {row['looks']:>13.2f} "
            f"{row['wall']:>8.1f} {row['peak_mib']:>10.0f}"
        )
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


def measure(name: str, base: str, out: Path, options: argparse.Namespace) -> dict[str, float]:
    urllib.request.urlopen(f"{base}/books").read()
    command = [sys.executable, str(HERE / "clients.py"), name, base, str(out)]
    command += [f"--images={options.images}", f"--in-flight={options.in_flight}", f"--interval={options.interval}"]
    if options.uvloop:
        command.append("--uvloop")
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    counts = json.loads(urllib.request.urlopen(f"{base}/books").read())
    if counts["posts"] != options.images or counts["files"] != options.images:
        raise SystemExit(f"{name} did something else: {counts}")
    return {
        "cpu_us": figures["cpu_seconds"] / options.images * 1e6,
        "user_us": figures["user_seconds"] / options.images * 1e6,
        "wall": figures["wall_seconds"],
        "peak_mib": figures["peak_mib"],
        "looks": counts["looks"] / options.images,
    }


def summary(name: str, rounds: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    figures = {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]}
    ratios = [one[name]["cpu_us"] / one["by_hand"]["cpu_us"] for one in rounds if "by_hand" in one]
    return figures | {"ratio": statistics.median(ratios) if ratios else 1.0}


if __name__ == "__main__":
    main()
