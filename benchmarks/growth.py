"""How CPU per image and peak memory grow with the length of the input.

    python benchmarks/growth.py                                  # 100, 1,000, 10,000
    python benchmarks/growth.py --counts 1000,10000,100000,1000000   # about half an hour

With journal, verification and sync, 500 tasks in flight, small files, against one bare server process.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="100,1000,10000")
    parser.add_argument("--in-flight", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, str(HERE / "gateway.py"), f"--latency={options.latency}", "--size=200"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    table = []
    try:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        print("  images   cpu µs/image   images/s   peak MiB")
        for count in map(int, options.counts.split(",")):
            row = {"images": count, **measure(base, count, options)}
            table.append(row)
            print(
                f"{count:>8} {row['cpu_seconds'] / count * 1e6:>14.0f} {count / row['wall_seconds']:>10.0f} "
                f"{row['peak_mib']:>10.1f}",
                flush=True,
            )
    finally:
        server.kill()
        server.wait()
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


def measure(base: str, count: int, options: argparse.Namespace) -> dict[str, float]:
    urllib.request.urlopen(f"{base}/books").read()
    out = Path(tempfile.mkdtemp(prefix="toapis-growth-"))
    command = [sys.executable, str(HERE / "clients.py"), "ours", base, str(out)]
    command += [f"--images={count}", f"--in-flight={options.in_flight}", f"--interval={options.interval}"]
    try:
        figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    finally:
        shutil.rmtree(out)
    return figures


if __name__ == "__main__":
    main()
