#!/usr/bin/env python3
"""run.py MUTANT [NAME...]: is every planted bug found within its seeds, and does the same program pass them without?

Runs two at a time. Ends in "N found, N not found"; the exit status is 1 when one was not, or could not be planted.
"""
import concurrent.futures
import subprocess
import sys

SEEDS = {"log": 200, "node": 120}
PATIENCE_S = 200


def simulate(mutant, run, *arguments):
    """Whether all seeds were good, and the first line that says otherwise."""
    command = [mutant, "--run", run, "--seed", "1", "--seeds", str(SEEDS[run]), "--until-failure", *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return False, f"it does not end ({PATIENCE_S} s)"
    why = [line for line in done.stdout.splitlines() if "seed" in line and "repeat" not in line]
    return done.returncode == 0, why[0] if why else f"status {done.returncode}"


def main():
    mutant, wanted = sys.argv[1], sys.argv[2:]
    listing = subprocess.run([mutant, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    bugs = [line.split("\t") for line in listing.splitlines()]
    bugs = [bug for bug in bugs if not wanted or bug[0] in wanted]
    failures = 0
    for name, _, _, problem in bugs:
        if problem:
            print(f"CANNOT BE PLANTED: {name}: {problem}: change tests/sim/mutations/table.txt as the source was changed")
            failures += 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        sound = {run: pool.submit(simulate, mutant, run) for run in SEEDS}
        planted = [(bug, pool.submit(simulate, mutant, bug[1], "--mutation", bug[0])) for bug in bugs if not bug[3]]
        found = 0
        for (name, run, about, _), result in planted:
            is_good, why = result.result()
            print(f"{'NOT FOUND' if is_good else 'found'}: {name}: {about if is_good else why}", flush=True)
            found += not is_good
            failures += is_good
        for run, result in sound.items():
            is_good, why = result.result()
            if not is_good:
                print(f"{run}: fails without a planted bug: {why}")
                failures += 1
    print(f"{found} found, {failures} not found")
    sys.exit(1 if failures or not planted else 0)


main()
