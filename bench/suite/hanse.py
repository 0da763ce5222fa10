"""Our own node, and the load generator that drives it."""
import json
import os
import shutil

from processes import Failed, Program, output_of

# The first account of development ledgers, here and in anvil.
DEVELOPMENT_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
DEVELOPMENT_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
PORT = 28645


class Node:
    name = "Hanse"

    def __init__(self, tools, folder, *options, ledgers=None, cpus=None):
        self.tools, self.folder, self.options = tools, folder, list(options)
        self.prefix = ["taskset", "-c", cpus] if cpus else []
        self.ledgers = ledgers

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        log = os.path.join(self.folder, "log.txt")
        source = ["--dev"] if self.ledgers is None else [part for ledger in self.ledgers for part in ("--ledger", ledger)]
        self.program = Program([*self.prefix, self.tools.hanse, "node", *source, "--data", os.path.join(self.folder, "data"),
                                "--rpc-port", PORT, "--udp-listen", f"127.0.0.1:{PORT}", *self.options], log)

        def is_ready():
            with open(log, encoding="utf-8") as file:
                return "is running" in file.read()

        self.program.wait_until(is_ready, "the node starts")
        return self

    def __exit__(self, *_):
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stats(self, command):
        text = output_of([self.tools.hanse, "stats", "--name", f"hanse-{PORT}", "--json", command])
        return json.loads(text)[command]

    def load(self, *options, ledger=""):
        """One run of the load generator: what it prints as JSON. The state behind it was checked, too."""
        text = output_of([self.tools.hanse, "load", "--address", f"127.0.0.1:{PORT}",
                          "--rpc", f"http://127.0.0.1:{PORT}/{ledger}", "--json", *map(str, options)])
        result = json.loads(text)
        if result["failed"] != 0 or result["state"] not in ("right", "skipped"):
            raise Failed(f"hanse load {' '.join(map(str, options))}: {text}")
        return result


def latency_us(result):
    """p50, p99 and p99.9 of a run of the load generator."""
    return {name: round(1000 * result["latency_ms"][name], 1) for name in ("p50", "p99", "p99.9")}
