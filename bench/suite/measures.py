"""What is measured. Each measure is a function of a Bench that gives a table and ratios.

Those that are compared take turns within each round, and a ratio is the median of the rounds' ratios: the speed of a
shared machine drifts by a third and more, from one minute to the next.
"""
import json
import os
import re
import statistics
from concurrent.futures import ThreadPoolExecutor

from hanse import DEVELOPMENT_ADDRESS, DEVELOPMENT_KEY, PORT, Node, latency_us
from peers import Anvil, Postgres, Redis, Sqlite, sent
from processes import output_of

MEASURES = {}


def measure(title, how):
    def register(function):
        MEASURES[function.__name__] = (title, how, function)
        return function

    return register


class Table:
    def __init__(self, *columns):
        self.columns, self.rows, self.ratios, self.plots = list(columns), [], [], []

    def add(self, *values):
        self.rows.append(list(values))

    def ratio(self, name, values, limit, better="higher"):
        """The median of rounds' ratios, and what it should be at least (better: higher) or at most (lower)."""
        value = statistics.median(values)
        reached = None if limit is None else (value >= limit if better == "higher" else value <= limit)
        self.ratios.append({"name": name, "value": round(value, 3), "rounds": [round(v, 3) for v in values],
                            "limit": limit, "better": better, "is_reached": reached})

    def plot(self, title, x, y, lines, is_log=False):
        """`lines` are names with lists of points (x, y)."""
        self.plots.append({"title": title, "x": x, "y": y, "lines": lines, "is_log": is_log})

    def as_json(self):
        return {"columns": self.columns, "rows": self.rows, "ratios": self.ratios, "plots": self.plots}


def median_of(runs, key):
    return statistics.median(run[key] for run in runs)


def best(store, seconds):
    """A store's largest rate of payments over numbers of clients."""
    return max((store.pay(clients, seconds) for clients in store.clients), key=lambda run: run["per_second"])


class Bench:
    def __init__(self, tools, folder, rounds, scale, say):
        self.tools, self.folder, self.rounds, self.scale, self.say = tools, folder, rounds, scale, say

    def at(self, name):
        return f"{self.folder}/{name}"

    def count(self, full):
        return max(1000, int(full * self.scale))

    def seconds(self, full):
        return max(1, round(full * self.scale))

    def node(self, *options, **more):
        return Node(self.tools, self.at("hanse"), "--quiet", *options, **more)


# --- against databases ---------------------------------------------------------------------------------------------


@measure("Durable payments, as many as possible",
         "Hanse: signed transfers as datagrams, 2,048 unanswered, the generator on the same cores; answered when executed and "
         "durable. The stores: the best of 1, 8 and 32 clients (SQLite: its one writer), no signatures.")
def payments(bench):
    table = Table("program", "payments/s", "p50 us", "p99 us", "CPU us a payment", "bytes written a payment", "memory MB")
    stores = [Postgres, Sqlite, Redis]
    runs = {name: [] for name in ("Hanse", "Hanse, told senders", *(store.name for store in stores))}
    for number in range(bench.rounds):
        bench.say(f"round {number + 1}")
        for name, options in (("Hanse", ()), ("Hanse, told senders", ("--hints",))):
            with bench.node() as node:
                common = ("--window", 2048, "--senders", 256, *options)
                node.load("--count", bench.count(20000), "--seed", 7, *common)
                before = node.program.usage()
                result = node.load("--count", bench.count(300000), "--seed", 100 + number, *common)
                after = node.program.usage()
                runs[name].append(cost(result["per_second"], latency_us(result), before, after, result["transactions"]))
        for store in stores:
            with store(bench.tools, bench.at("peer")) as peer:
                run = best(peer, bench.seconds(4))
                runs[store.name].append({**run, "cpu_us": None, "written": None, "memory_mb": None})
    for name, results in runs.items():
        table.add(name, *(round(median_of(results, key)) for key in ("per_second", "p50", "p99")),
                  *(rounded_median(results, key) for key in ("cpu_us", "written", "memory_mb")))
    for ours, limit in (("Hanse", 10), ("Hanse, told senders", 20)):
        for store in stores:
            table.ratio(f"{ours} to {store.name}", [a["per_second"] / b["per_second"]
                                                     for a, b in zip(runs[ours], runs[store.name])],
                        limit if store is Postgres else None)
    return table


def cost(per_second, latency, before, after, count):
    return {"per_second": per_second, **latency, "cpu_us": 1e6 * (after.cpu_s - before.cpu_s) / count,
            "written": (after.written_bytes - before.written_bytes) / count, "memory_mb": after.resident_bytes / 1e6}


def rounded_median(results, key):
    values = [result[key] for result in results if result[key] is not None]
    return round(statistics.median(values), 1) if values else None


@measure("One durable payment at a time", "One client that waits for each answer.")
def one_at_a_time(bench):
    table = Table("program", "payments/s", "p50 us", "p99 us", "p99.9 us")
    stores = [Postgres, Sqlite, Redis]
    runs = {name: [] for name in ("Hanse", *(store.name for store in stores))}
    for number in range(bench.rounds):
        bench.say(f"round {number + 1}")
        with bench.node() as node:
            node.load("--count", 1000, "--window", 1, "--senders", 64, "--seed", 7)
            result = node.load("--count", bench.count(8000), "--window", 1, "--senders", 64, "--seed", 100 + number)
            runs["Hanse"].append({"per_second": result["per_second"], **latency_us(result)})
        for store in stores:
            with store(bench.tools, bench.at("peer")) as peer:
                peer.pay(1, 1)
                runs[store.name].append(peer.pay(1, bench.seconds(4)))
    for name, results in runs.items():
        table.add(name, *(round(median_of(results, key)) for key in ("per_second", "p50", "p99", "p99.9")))
    for key in ("p50", "p99"):
        for store in stores:
            table.ratio(f"{key}, Hanse to {store.name}", [a[key] / b[key] for a, b in zip(runs["Hanse"], runs[store.name])],
                        1.0 if store is Postgres else None, "lower")
    return table


@measure("Latency by offered load",
         "Open loop: transactions come at their time whatever is unanswered, and latency counts from then. Loads are parts of "
         "the peak measured in the same round; PostgreSQL's are parts of its own, with 32 clients.")
def ladder(bench):
    table = Table("program", "load of the peak", "offered/s", "answered/s", "p50 us", "p99 us", "p99.9 us")
    parts = (0.1, 0.25, 0.5, 0.75, 0.9, 2.0)
    ours, theirs, goodput = {part: [] for part in parts}, {part: [] for part in parts[:-1]}, []
    for number in range(bench.rounds):
        bench.say(f"round {number + 1}")
        with bench.node() as node:
            common = ("--senders", 256)
            node.load("--count", bench.count(20000), "--seed", 7, *common)
            peak = node.load("--count", bench.count(200000), "--window", 2048, "--seed", 20 + number, *common)["per_second"]
            for step, part in enumerate(parts):
                rate = int(peak * part)
                result = node.load("--rate", rate, "--count", bench.count(min(300000, rate * 3)), "--seed",
                                   1000 + 10 * number + step, *common)
                ours[part].append({"offered": rate, "per_second": result["per_second"], **latency_us(result)})
            goodput.append(ours[2.0][-1]["per_second"] / peak)
        with Postgres(bench.tools, bench.at("peer")) as peer:
            peak = peer.pay(32, bench.seconds(3))["per_second"]
            for part in parts[:-1]:
                theirs[part].append({"offered": peak * part, **peer.pay(32, bench.seconds(3), rate=int(peak * part))})
    keys = ("offered", "per_second", "p50", "p99", "p99.9")
    for name, results in (("Hanse", ours), ("PostgreSQL", theirs)):
        for part, runs in results.items():
            table.add(name, part, *(round(median_of(runs, key)) for key in keys))
    table.plot("p99 by load", "part of the peak", "us", {
        name: [(part, median_of(runs, "p99")) for part, runs in results.items()]
        for name, results in (("Hanse", ours), ("PostgreSQL", theirs))}, is_log=True)
    table.ratio("p99 at half of the peak, ms", [run["p99"] / 1000 for run in ours[0.5]], 5, "lower")
    table.ratio("answered at twice the peak, to the peak", goodput, 0.9)
    return table


# --- against another Ethereum node ---------------------------------------------------------------------------------


@measure("Against anvil", "anvil keeps everything in memory, and its best setting counts; Hanse's are durable.")
def anvil(bench):
    table = Table("program", "what", "a second")
    runs = {}

    def note(name, what, value):
        runs.setdefault((name, what), []).append(value)

    settings = ((), ("--block-time", "0.01"), ("--block-time", "0.1"))
    for number in range(bench.rounds):
        bench.say(f"round {number + 1}")
        for batch, what in ((1, "transfers, single calls"), (100, "transfers, batches of 100")):
            rates = []
            for options in settings[1:]:
                with Anvil(bench.tools, bench.at("peer"), *options) as peer:
                    rates.append(peer.send(64, batch, bench.count(20000), f"a{number}")["per_second"])
            note("anvil", what, max(rates))
            with bench.node() as node:
                note("Hanse", what, sent(bench.tools, PORT, 64, batch, bench.count(100000), f"h{number}")["per_second"])
                del node
        erc20 = ("--workload", "erc20", "--senders", 256, "--seed", 50 + number)
        rates = []
        for batch in (1, 100):
            with Anvil(bench.tools, bench.at("peer")) as peer:
                text = ["--target", "rpc", "--rpc", f"http://127.0.0.1:{peer.port}", "--batch", batch, "--connections", 16,
                        "--count", bench.count(10000), *erc20]
                rates.append(other_load(bench, text)["per_second"])
        note("anvil", "ERC-20 transfers", max(rates))
        with bench.node() as node:
            common = ("--window", 2048, *erc20)
            node.load("--count", bench.count(20000), *common[:-1], 7)
            note("Hanse", "ERC-20 transfers as datagrams", node.load("--count", bench.count(200000), *common)["per_second"])
            note("Hanse", "transfers as datagrams",
                 node.load("--count", bench.count(200000), "--window", 2048, "--seed", 90 + number)["per_second"])
    for (name, what), values in runs.items():
        table.add(name, what, round(statistics.median(values)))

    def compare(what, theirs, limit):
        table.ratio(what, [a / b for a, b in zip(runs["Hanse", what], theirs)], limit)

    best_transfers = [max(pair) for pair in zip(runs["anvil", "transfers, single calls"],
                                                runs["anvil", "transfers, batches of 100"])]
    compare("transfers, single calls", runs["anvil", "transfers, single calls"], 5)
    compare("transfers, batches of 100", runs["anvil", "transfers, batches of 100"], 5)
    compare("transfers as datagrams", best_transfers, 12)
    compare("ERC-20 transfers as datagrams", runs["anvil", "ERC-20 transfers"], 8)
    return table


def other_load(bench, options):
    return json.loads(output_of([bench.tools.hanse, "load", "--json", "--key", DEVELOPMENT_KEY, *map(str, options)]))


# --- by itself -----------------------------------------------------------------------------------------------------


@measure("One recipient or many", "Transfers to one account, and to 1,000, in turn on one node.")
def hot(bench):
    table = Table("recipients", "transfers/s", "p99 us")
    runs = {"hot": [], "transfer": []}
    with bench.node() as node:
        node.load("--count", bench.count(20000), "--seed", 7)
        for number in range(2 * bench.rounds):
            for workload, results in runs.items():
                result = node.load("--workload", workload, "--count", bench.count(100000), "--window", 2048, "--seed",
                                   100 + number)
                results.append({"per_second": result["per_second"], **latency_us(result)})
    table.add("one", round(median_of(runs["hot"], "per_second")), round(median_of(runs["hot"], "p99")))
    table.add("1,000", round(median_of(runs["transfer"], "per_second")), round(median_of(runs["transfer"], "p99")))
    table.ratio("one to many", [a["per_second"] / b["per_second"] for a, b in zip(runs["hot"], runs["transfer"])], 0.9)
    return table


@measure("Signatures", "Signers recovered on one core in batches of 64, and beside them libsecp256k1's, one by one; the first "
                       "two by kernels of our own, the others against keys seen before.")
def signatures(bench):
    table = Table("kernel", "us a signature", "libsecp256k1 us", "ratio")
    text = output_of([bench.tools.bench("bench_signatures")])
    limits = {"avx512ifma": 8, "avx2": 2.5, "avx512ifma, 256 known keys": 20, "avx512ifma, 65536 known keys": 12}
    pattern = re.compile(r"^(\S+) +(?:(\d+ known keys), )?batches of +(\d+): +([0-9.]+) us a signature.*?libsecp256k1 +"
                         r"([0-9.]+) us, ratio +([0-9.]+)", re.M)
    for kernel, known, batch, ours, theirs, ratio in pattern.findall(text):
        if batch == ("128" if known else "64"):
            name = f"{kernel}, {known}" if known else kernel
            table.add(name, float(ours), float(theirs), float(ratio))
            table.ratio(name, [float(ratio)], limits.get(name))
    return table


@measure("Where the time goes", "Time of the node's cores a transfer, by stage, at half of the peak, where cores have time "
                                "left and stages are not interrupted. Processor time of the whole process beside it.")
def costs(bench):
    table = Table("stage", "us a transfer", "part")
    with bench.node() as node:
        node.load("--count", bench.count(20000), "--seed", 7)
        rate = node.load("--count", bench.count(100000), "--window", 2048, "--seed", 8)["per_second"] / 2
        before, cpu_before = stages_of(node), node.program.usage().cpu_s
        result = node.load("--count", bench.count(200000), "--rate", int(rate), "--seed", 9)
        after, cpu_after = stages_of(node), node.program.usage().cpu_s
    count = result["transactions"]
    used = {name: (after[name] - before[name]) / count for name in after}
    for name, value in sorted(used.items(), key=lambda item: -item[1]):
        table.add(name, round(value, 3), round(value / sum(used.values()), 3))
    table.add("all stages", round(sum(used.values()), 3), 1)
    table.add("the process, waiting for work included", round(1e6 * (cpu_after - cpu_before) / count, 3), None)
    table.add("the load generator, for each", result["generator_us"], None)
    return table


def stages_of(node):
    """Microseconds by stage, of all cores."""
    used = {}
    for name, value in node.stats("/hanse/stages").items():
        found = re.fullmatch(r"core\d+_(\w+)_busy_us", name)
        if found:
            used[found.group(1)] = used.get(found.group(1), 0) + int(value)
    return used


# --- scaling -------------------------------------------------------------------------------------------------------


@measure("By accounts", "Transfers between accounts drawn from so many, told senders off.")
def accounts(bench):
    table = Table("accounts", "transfers/s", "p99 us", "memory MB")
    points = []
    for size in [10_000, 100_000, 1_000_000] + ([10_000_000] if bench.scale >= 4 else []):
        with bench.node() as node:
            # Every account is made by a transfer to it.
            node.load("--count", size, "--recipients", size, "--window", 2048, "--seed", 7, "--no-check")
            runs = [node.load("--count", bench.count(100000), "--recipients", size, "--window", 2048, "--seed", 7, "--no-check")
                    for _ in range(bench.rounds)]
            result = runs[0]
            rate = statistics.median(run["per_second"] for run in runs)
            table.add(size, round(rate), round(latency_us(result)["p99"]),
                      round(node.program.usage().resident_bytes / 1e6))
            points.append((size, rate))
    table.plot("transfers a second by accounts", "accounts", "a second", {"Hanse": points}, is_log=True)
    return table


@measure("By cores", "The node alone on one processor, on all; the generator on all.")
def cores(bench):
    table = Table("processors", "transfers/s", "p99 us")
    count = os.cpu_count() or 1
    rates = {}
    for number in range(bench.rounds):
        for cpus in sorted({1, min(2, count), count}):
            with bench.node("--cores", str(cpus), cpus=f"0-{cpus - 1}") as node:
                node.load("--count", bench.count(20000), "--seed", 7)
                result = node.load("--count", bench.count(150000), "--window", 2048, "--seed", 100 + number)
                rates.setdefault(cpus, []).append({"per_second": result["per_second"], **latency_us(result)})
    for cpus, runs in rates.items():
        table.add(cpus, round(median_of(runs, "per_second")), round(median_of(runs, "p99")))
    return table


@measure("By ledgers", "One node with so many ledgers and two shards; a generator for each ledger, all at once, each with its "
                       "part of the transfers.")
def ledgers(bench):
    table = Table("ledgers", "transfers/s of all", "p99 us")
    rates = {}
    for number in range(bench.rounds):
        for count in (1, 2, 4, 8):
            sources = [f"l{index}={genesis_file(bench, index)}" for index in range(count)]
            with bench.node("--shards", "2", ledgers=sources) as node:
                with ThreadPoolExecutor(count) as pool:
                    each = bench.count(160000) // count
                    runs = list(pool.map(lambda index: node.load(
                        "--count", each, "--window", 2048 // count, "--seed", 100 + 10 * number + index, "--threads", 1,
                        ledger=f"l{index}"), range(count)))
                # They end nearly together.
                rates.setdefault(count, []).append({"per_second": sum(run["per_second"] for run in runs),
                                                    "p99": max(latency_us(run)["p99"] for run in runs)})
    for count, runs in rates.items():
        table.add(count, round(median_of(runs, "per_second")), round(median_of(runs, "p99")))
    table.plot("transfers a second by ledgers", "ledgers", "a second of all",
               {"Hanse": [(count, median_of(runs, "per_second")) for count, runs in rates.items()]})
    return table


def genesis_file(bench, index):
    """Of a ledger with a chain id of its own, on which the development account has funds."""
    path = bench.at(f"genesis-{index}.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"config": {"chainId": 7001 + index, **{name + "Block": 0 for name in FORKS}, "shanghaiTime": 0,
                              "cancunTime": 0, "terminalTotalDifficulty": 0},
                   "gasLimit": "0x77359400", "difficulty": "0x0", "baseFeePerGas": "0x7",
                   "alloc": {DEVELOPMENT_ADDRESS: {"balance": "0x" + "f" * 24}}}, file)
    return path


FORKS = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin", "london")
