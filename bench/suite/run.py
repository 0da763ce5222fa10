"""Measures Hanse beside its peers: see `bench/run --help`."""
import argparse
import datetime
import os
import platform
import subprocess
import sys

import report as reports
from measures import MEASURES, Bench
from processes import Failed, output_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Tools:
    """Where the programs are."""

    def __init__(self, build):
        self.build = build
        self.hanse = os.path.join(build, "pipeline/cli/hanse")
        self.anvil = os.path.join(ROOT, "bench/rpc_client/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")

    def bench(self, name):
        return os.path.join(self.build, "bench", name)


def line_of(path, beginning):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(beginning):
                return line.split(":", 1)[1].strip()
    return "unknown"


def machine(folder):
    device = output_of(["df", "--output=source,fstype", folder]).splitlines()[-1].split()
    return {"processor": line_of("/proc/cpuinfo", "model name"), "processors": os.cpu_count(),
            "memory": line_of("/proc/meminfo", "MemTotal"), "disk": " ".join(device), "kernel": platform.release()}


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def read_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Hanse and its peers in turn, on this machine's "
                                     "cores and disk, and writes report.txt, report.json and report.html.")
    parser.add_argument("--rounds", type=int, default=3, help="how often the programs take turns (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="how long each part runs, 1 being a few seconds (1); from 4 "
                        "on 10,000,000 accounts are measured, too")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="measure this; repeatable")
    parser.add_argument("--out", default=os.path.join(ROOT, ".build/bench"), help="folder of the report (.build/bench)")
    parser.add_argument("--build", default=os.path.join(ROOT, ".build/release"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = read_arguments()
    folder = os.path.join(arguments.out, "work")
    os.makedirs(folder, exist_ok=True)
    tools = Tools(os.path.abspath(arguments.build))
    bench = Bench(tools, os.path.abspath(folder), arguments.rounds, arguments.scale,
                  lambda text: print(f"   {text}", file=sys.stderr, flush=True))
    os.chmod(folder, 0o755)
    report = {"commit": commit(), "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "machine": machine(folder), "rounds": arguments.rounds, "scale": arguments.scale, "measures": {}}
    wanted = arguments.only or list(MEASURES)
    for number, name in enumerate(wanted):
        title, how, function = MEASURES[name]
        print(f"== {number + 1} of {len(wanted)}: {title}", file=sys.stderr, flush=True)
        table = function(bench)
        report["measures"][name] = {"title": title, "how": how, "table": table.as_json()}
        reports.write(report, arguments.out)  # what is there survives an interruption
    print(reports.as_text(report))
    print(f"written to {arguments.out}/report.txt, .json and .html")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench/run: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
