#!/usr/bin/env python3
"""Checks what a compiler does not: floors, sizes, headers that stand alone, names, README files.

usage: check.py [--no-headers] SOURCE_ROOT [COMPILER]

Prints a line per finding and ends in "N passed, N failed"; exit status 1 on a finding.
"""
import os
import re
import subprocess
import sys

C_LINES_MAX = 800
H_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
PUBLIC_FOLDERS = ("engine", "shard", "pipeline", "bench")
TOP_LEVEL = {"engine", "pipeline", "shard", "bench", "tests", "meson.build", "README.md", "LICENSE",
             "meson_options.txt", "subprojects"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def table(path):
    lines = (line.strip() for line in read(path).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


class Checks:
    def __init__(self, root):
        self.root = root
        here = os.path.join(root, "tests", "tidy")
        self.floors = table(os.path.join(here, "floors.txt"))
        self.exceptions = {tuple(line.split(None, 2)[:2]) for line in table(os.path.join(here, "exceptions.txt"))}
        self.used_exceptions = set()
        self.passed = 0
        self.failed = 0
        listed = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, text=True)
        if listed.returncode == 0:
            names = listed.stdout.splitlines()
        else:
            names = []  # an unpacked archive: everything but what building puts there
            for folder, inner, found in os.walk(root):
                inner[:] = [name for name in inner if not name.startswith(".") and name != "node_modules"]
                names += [os.path.relpath(os.path.join(folder, name), root) for name in found]
        self.files = sorted(name for name in set(names) if os.path.isfile(os.path.join(root, name)))

    def check(self, is_fine, message):
        if is_fine:
            self.passed += 1
        else:
            self.failed += 1
            print(message)

    def sources(self, ends=(".c", ".h")):
        return [name for name in self.files
                if name.endswith(ends) and not name.startswith("subprojects/")]

    def module_of(self, name):
        """The longest floor that the file's folder lies in, as a position from the ground."""
        folder = os.path.dirname(name)
        while folder:
            if folder in self.floors:
                return self.floors.index(folder)
            folder = os.path.dirname(folder)
        return None

    def check_floors(self):
        for name in self.sources():
            own = self.module_of(name)
            self.check(own is not None, f"{name}: in no module of tests/tidy/floors.txt")
            if own is None:
                continue
            for number, line in enumerate(read(os.path.join(self.root, name)).splitlines(), 1):
                match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not match:
                    continue
                target = match.group(1)
                if "/" not in target:
                    self.check(name.startswith(("tests/", "bench/")),
                               f"{name}:{number}: include of {target} is not root-relative")
                    continue
                other = self.module_of(target)
                self.check(other is not None and other <= own,
                           f"{name}:{number}: {self.floors[own]} includes {target}, which lies above it")

    def check_sizes(self):
        for name in self.sources():
            lines = read(os.path.join(self.root, name)).splitlines()
            limit = C_LINES_MAX if name.endswith(".c") else H_LINES_MAX
            self.check(len(lines) <= limit, f"{name}: {len(lines)} lines, the cap is {limit}")
            if name.endswith(".c"):
                self.check_functions(name, lines)

    def check_functions(self, name, lines):
        start = None
        for number, line in enumerate(lines):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                length = number - start - 1
                if length > FUNCTION_LINES_MAX:
                    function = self.function_name(lines, start)
                    self.used_exceptions.add((name, function))
                    self.check((name, function) in self.exceptions,
                               f"{name}:{start + 1}: function {function} has {length} lines, "
                               f"the cap is {FUNCTION_LINES_MAX}")
                else:
                    self.passed += 1
                start = None

    @staticmethod
    def function_name(lines, start):
        head = ""
        for number in range(start - 1, max(start - 12, -1), -1):
            head = lines[number] + " " + head
            if lines[number] and not lines[number][0].isspace():
                break
        match = re.search(r"([A-Za-z_][A-Za-z0-9_]*)\s*\(", head)
        if match and match.group(1) in ("Test", "ParameterizedTest"):
            inner = re.search(r"\(([^)]*)\)", head)
            return inner.group(1).replace(" ", "") if inner else match.group(1)
        return match.group(1) if match else "?"

    def check_exceptions(self):
        for name, function in sorted(self.exceptions - self.used_exceptions):
            self.check(False, f"tests/tidy/exceptions.txt: {name} {function} is not needed any more")

    def check_headers(self, compiler):
        flags = subprocess.run(["pkg-config", "--cflags", "libdpdk", "liburing", "jansson"],
                               capture_output=True, text=True).stdout.split()
        flags += ["-isystem", os.path.join(self.root, "subprojects/c-kzg/deps/blst/bindings")]
        for name in self.sources((".h",)):
            done = subprocess.run([compiler, "-std=c17", "-D_GNU_SOURCE", "-march=x86-64-v3", "-Wall", "-Wextra",
                                   "-fsyntax-only", "-I" + self.root, "-x", "c", *flags,
                                   os.path.join(self.root, name)], capture_output=True, text=True)
            first = done.stderr.strip().splitlines()
            self.check(done.returncode == 0, f"{name}: does not compile alone: {first[0] if first else ''}")
            if name.startswith(PUBLIC_FOLDERS):
                guard = "HN_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()
                self.check(f"#ifndef {guard}" in read(os.path.join(self.root, name)),
                           f"{name}: the guard is not {guard}")

    def check_names(self):
        for name in self.sources():
            base = os.path.basename(name)
            self.check(not base.startswith("hn_"), f"{name}: file names carry no prefix")

    def check_readmes(self):
        modules = [floor for floor in self.floors if "/" in floor] + list(PUBLIC_FOLDERS)
        for module in modules:
            if any(name.startswith(module + "/") for name in self.files):
                self.check(f"{module}/README.md" in self.files, f"{module}: has no README.md")

    def check_top_level(self):
        for name in sorted({name.split("/")[0] for name in self.files}):
            self.check(name.startswith(".") or name in TOP_LEVEL, f"{name}: does not belong to the top level")


def main(arguments):
    with_headers = "--no-headers" not in arguments
    arguments = [argument for argument in arguments if argument != "--no-headers"]
    root = os.path.abspath(arguments[0]) if arguments else os.getcwd()
    checks = Checks(root)
    checks.check_floors()
    checks.check_sizes()
    checks.check_exceptions()
    checks.check_names()
    checks.check_readmes()
    checks.check_top_level()
    if with_headers:
        checks.check_headers(arguments[1] if len(arguments) > 1 else "cc")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
