"""Compares two reports: see `bench/compare --help`."""
import argparse
import json
import sys


def ratios_of(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    return {(entry["title"], ratio["name"]): ratio for entry in report["measures"].values()
            for ratio in entry["table"]["ratios"]}


def main():
    parser = argparse.ArgumentParser(prog="bench/compare", description="Compares the ratios to the peers of two reports of "
                                     "bench/run (report.json): absolute figures of two runs say little. Ends with 1 when one "
                                     "has become worse.")
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--tolerance", type=float, default=10, help="percent that a ratio may lose (10)")
    arguments = parser.parse_args()
    old, new = ratios_of(arguments.old), ratios_of(arguments.new)
    worse = 0
    for key in old.keys() & new.keys():
        before, after = old[key]["value"], new[key]["value"]
        change = after / before - 1 if before else 0.0
        loss = -change if new[key]["better"] == "higher" else change
        is_worse = loss > arguments.tolerance / 100
        worse += is_worse
        print(f"{'WORSE' if is_worse else 'good '} {key[0]}: {key[1]}: {before:g} -> {after:g} ({100 * change:+.1f} %)")
    for key in old.keys() ^ new.keys():
        print(f"      {key[0]}: {key[1]}: only in the {'old' if key in old else 'new'} report")
    if not old.keys() & new.keys():
        sys.exit("bench/compare: the reports have nothing in common")
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError) as failure:
        sys.exit(f"bench/compare: {failure!r}")
