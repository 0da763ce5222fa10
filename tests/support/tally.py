#!/usr/bin/env python3
"""Adds up meson's testlog.json: prints "PASSED FAILED SKIPPED" and names what failed on standard error.

A test program that prints "N passed, N failed[, N skipped]" counts with those numbers, as does Criterion's closing line;
any other counts as one.
"""
import json
import re
import sys

PLAIN = re.compile(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)
CRITERION = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")


def counts_of(test):
    output = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    result = test["result"]
    if result == "SKIP":
        return 0, 0, 1
    is_bad = result not in ("OK", "EXPECTEDFAIL")
    criterion = CRITERION.findall(output)
    plain = PLAIN.findall(output)
    if criterion:
        passed = sum(int(row[1]) for row in criterion)
        failed = sum(int(row[2]) + int(row[3]) for row in criterion)
        skipped = 0
    elif plain:
        passed, failed, skipped = (int(value or 0) for value in plain[-1])
    else:
        passed, failed, skipped = (0, 0, 0) if is_bad else (1, 0, 0)
    return passed, max(failed, 1) if is_bad else failed, skipped


def main(path):
    totals = [0, 0, 0]
    with open(path, encoding="utf-8") as file:
        for line in file:
            test = json.loads(line)
            counts = counts_of(test)
            totals = [total + count for total, count in zip(totals, counts)]
            if counts[1]:
                print(f"FAILED: {test['name']} ({test['result']})", file=sys.stderr)
    print(*totals)


if __name__ == "__main__":
    main(sys.argv[1])
