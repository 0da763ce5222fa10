#!/usr/bin/env python3
"""plant.py TABLE SOURCE_ROOT FOLDER FILE...: writes copies of production sources with the bugs of the table planted.

Each FILE (relative to SOURCE_ROOT) becomes FOLDER/FILE with "/" as "_"; which bug is active is chosen when the program
runs. FOLDER/mutations.h names them all. A change whose text does not stand in its file exactly once is left out, and its
bug is marked so that the test says it: the build does not fail by it.
"""
import pathlib
import re
import sys


class Bug:
    def __init__(self, name, run, path, number):
        self.name, self.run, self.path, self.number = name, run, path, number
        self.about, self.changes, self.problem = "", [], ""


def read_table(path):
    bugs, bug, old, new = [], None, [], []

    def end_change():
        if old:
            bug.changes.append(("\n".join(old), "\n".join(new)))
            old.clear()
            new.clear()

    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("-"):
            if new:
                end_change()
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        elif not line:
            end_change()
            bug = None
        elif bug is None:
            bug = Bug(*line.split(" "), len(bugs) + 1)
            bugs.append(bug)
        else:
            bug.about = line
    end_change()
    return bugs


def change(original, text, bug, numbers):
    """The text with the bug in it."""
    for old, new in bug.changes:
        if original.count(old + "\n") != 1:
            raise LookupError(f"{bug.path} does not have once:\n{old}")
        if text.count(old + "\n") != 1:
            raise LookupError(f"another bug has changed the same lines of {bug.path}:\n{old}")
        new = re.sub(r"\bPLANTED\((\w+)\)", lambda found: f"(hn_mutation == {numbers[found[1]]})", new)
        new = re.sub(r"\bPLANTED\b", f"(hn_mutation == {bug.number})", new)
        text = text.replace(old + "\n", new + "\n")
    return text


def main():
    table, root, folder = (pathlib.Path(argument) for argument in sys.argv[1:4])
    bugs, files = read_table(table), sys.argv[4:]
    numbers = {bug.name: bug.number for bug in bugs}
    for path in files:
        original = (root / path).read_text()
        text = original
        for bug in bugs:
            if bug.path != path:
                continue
            try:
                text = change(original, text, bug, numbers)
            except LookupError as problem:
                bug.problem = str(problem).replace("\n", " ")
        (folder / path.replace("/", "_")).write_text(f'#include "tests/sim/mutations/mutations.h"\n#line 1 "{path}"\n{text}')
    lines = []
    for bug in bugs:
        if bug.path not in files:
            bug.problem = f"{bug.path} is not in the list of meson.build"
        words = [bug.name, bug.run, bug.about, bug.problem]
        lines.append("    X(" + ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words) + ")")
    (folder / "mutations.h").write_text(
        "/* Made by plant.py. Number 1 stands first; 0 is none. */\n"
        "extern int hn_mutation;\n"
        "/* name, run, what it does, why it could not be planted */\n"
        "#define HN_MUTATION_LIST(X) \\\n" + " \\\n".join(lines) + "\n")


main()
