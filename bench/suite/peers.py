"""The programs beside which Hanse is measured, each with its durable settings (anvil has none), on the same disk.

A payment is what each of them does at its best: an amount moves between two accounts and a line in a ledger says so, in
one round trip, durable before it is answered.
"""
import csv
import glob
import os
import pwd
import re
import shutil
import socket
import tempfile

from processes import Program, output_of, wait_until

ACCOUNTS = 10000


def percentile(sorted_values, part):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))] if sorted_values else 0


class Postgres:
    name = "PostgreSQL"
    payment = f"""\\set payer random(1, {ACCOUNTS})
\\set payee random(1, {ACCOUNTS})
with a as (update account set balance = balance - 1 where id = :payer),
     b as (update account set balance = balance + 1 where id = :payee)
insert into ledger (payer, payee, amount) values (:payer, :payee, 1);
"""

    def __init__(self, tools, folder):
        del tools
        self.folder, self.sockets = folder, os.path.join(folder, "socket")
        self.binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        # It refuses to run as root.
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

    def command(self, name, *arguments):
        return output_of([os.path.join(self.binaries, name), *map(str, arguments)], cwd=self.sockets, **self.user)

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        data = os.path.join(self.folder, "data")
        for folder in (data, self.sockets):
            os.makedirs(folder)
            if self.user:
                owner = pwd.getpwnam("postgres")
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        self.command("initdb", "-D", data, "-A", "trust")
        os.chmod(data, 0o700)
        self.program = Program([os.path.join(self.binaries, "postgres"), "-D", data, "-k", self.sockets,
                                "-c", "listen_addresses=", "-c", "fsync=on", "-c", "synchronous_commit=on",
                                "-c", "shared_buffers=256MB"], os.path.join(self.folder, "log.txt"), cwd=self.folder,
                               **self.user)
        self.program.wait_until(lambda: os.path.exists(os.path.join(self.sockets, ".s.PGSQL.5432")), "PostgreSQL starts")
        self.program.wait_until(self.answers, "PostgreSQL answers")
        self.sql("create table account (id int primary key, balance bigint not null);"
                 "create table ledger (id bigserial primary key, payer int, payee int, amount bigint,"
                 " at timestamptz default now());"
                 f"insert into account select i, 1000000000 from generate_series(1, {ACCOUNTS}) i;")
        self.sql("vacuum analyze account")
        with open(os.path.join(self.sockets, "pay.sql"), "w", encoding="ascii") as file:
            file.write(self.payment)
        return self

    def __exit__(self, *_):
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self):
        try:
            self.sql("select 1")
            return True
        except Exception:  # pylint: disable=broad-except
            return False

    def sql(self, text):
        return self.command("psql", "-h", self.sockets, "-d", "postgres", "-qAt", "-c", text)

    def pay(self, clients, seconds, rate=0):
        """Payments a second and their latencies; at a rate, latency counts from when each should have begun."""
        for old in glob.glob(os.path.join(self.sockets, "latency*")):
            os.remove(old)
        text = self.command("pgbench", "-h", self.sockets, "-n", "-M", "prepared", "-f", "pay.sql", "-c", clients, "-j", 1,
                            "-T", seconds, "-l", "--log-prefix=latency", *(["-R", rate] if rate else []), "postgres")
        values = []
        for log in glob.glob(os.path.join(self.sockets, "latency*")):
            with open(log, encoding="ascii") as file:
                values += [int(line.split()[2]) for line in file]
        values.sort()
        return {"per_second": float(re.search(r"^tps = ([0-9.]+)", text, re.M).group(1)),
                "p50": percentile(values, 0.5), "p99": percentile(values, 0.99), "p99.9": percentile(values, 0.999)}

    clients = (1, 8, 32)


class Sqlite:
    """In one process and without a connection: its one writer commits each payment by itself."""
    name = "SQLite"
    clients = (1,)

    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def pay(self, clients, seconds, rate=0):
        del clients, rate
        folder = tempfile.mkdtemp(dir=self.folder)
        fields = output_of([self.tools.bench("bench_sqlite"), folder, str(ACCOUNTS), str(seconds)]).split()
        return dict(zip(("per_second", "p50", "p99", "p99.9"), map(float, fields)))


class Redis:
    name = "Redis"
    clients = (1, 8, 32)
    payment = ("redis.call('DECRBY', KEYS[1], 1) redis.call('INCRBY', KEYS[2], 1) "
               "return redis.call('RPUSH', 'ledger', KEYS[1] .. ' ' .. KEYS[2] .. ' 1')")

    def __init__(self, tools, folder):
        del tools
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, "socket")
        self.program = Program(["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.folder,
                                "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                               os.path.join(self.folder, "log.txt"))

        def answers():
            with socket.socket(socket.AF_UNIX) as client:
                return client.connect_ex(self.path) == 0

        self.program.wait_until(answers, "Redis starts")
        return self

    def __exit__(self, *_):
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def measure(self, clients, count):
        text = output_of(["redis-benchmark", "-s", self.path, "-c", str(clients), "-n", str(count), "-r", str(ACCOUNTS),
                          "--csv", "EVAL", self.payment, "2", "a:__rand_int__", "a:__rand_int__"])
        row = list(csv.DictReader(text.splitlines()))[-1]
        # It tells no p99.9; the largest stands for it.
        return {"per_second": float(row["rps"]), "p50": 1000 * float(row["p50_latency_ms"]),
                "p99": 1000 * float(row["p99_latency_ms"]), "p99.9": 1000 * float(row["max_latency_ms"])}

    def pay(self, clients, seconds, rate=0):
        del rate
        trial = self.measure(clients, 2000)
        return self.measure(clients, max(1000, int(trial["per_second"] * seconds)))


class Anvil:
    """In memory, nothing durable."""
    name = "anvil"
    port = 28745

    def __init__(self, tools, folder, *options):
        self.tools, self.folder, self.options = tools, folder, options

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.program = Program([self.tools.anvil, "--port", self.port, "--silent", "--gas-limit", "1000000000",
                                *self.options], os.path.join(self.folder, "log.txt"))

        def answers():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self.port)) == 0

        self.program.wait_until(answers, "anvil starts")
        return self

    def __exit__(self, *_):
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, connections, batch, count, seed):
        """Transfers a second until they are mined, with latencies of the requests."""
        return sent(self.tools, self.port, connections, batch, count, seed)


def sent(tools, port, connections, batch, count, seed):
    fields = output_of([tools.bench("bench_rpc_client"), "send", str(port), str(connections), str(batch), str(count),
                        str(seed)]).split()
    return dict(zip(("per_second", "p50", "p99"), map(float, fields)))


__all__ = ["Anvil", "Postgres", "Redis", "Sqlite", "percentile", "sent", "wait_until"]
