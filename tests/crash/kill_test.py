"""kill -9 of host, broker, worker and PostgreSQL, while a table is read and while changes flow.

Rows carry a version that every update raises by one. Afterwards the file sink must have, for
every row, the versions in order, none missing, and the last one must be the table's. What came
again after a crash is no fault: it repeats a part that was there. Prints its seed.

usage: kill_test.py PROGRAM [WORD…]      SEED=N replays
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"),
                os.path.join(HERE, "..", "..", "examples", "quickstart")]
from private_postgres import Cluster
from system import Sluice
from tap import main, test

PROGRAM = sys.argv[1]
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
JSON = {"key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false"}
TEXT = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
LIMIT_SECONDS = 180


class Traffic:
    """Raises versions of random rows, in transactions of one to four rows, until it is stopped."""

    def __init__(self, cluster, rows, choose):
        self.cluster, self.rows, self.choose = cluster, rows, choose
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def session(self):
        return self.cluster.popen(
            "psql", "-X", "-q", "-h", self.cluster.folder, "-p", str(self.cluster.port), "-U",
            "postgres", "-d", "bench", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1)

    def run(self):
        psql = self.session()
        while not self.stopping.is_set():
            ids = sorted({self.choose.randrange(self.rows) for _ in range(self.choose.randint(1, 4))})
            try:
                psql.stdin.write("BEGIN; " + " ".join(
                    f"UPDATE rows SET version = version + 1 WHERE id = {i};" for i in ids)
                    + " COMMIT;\n\\echo done\n")
                psql.stdin.flush()
                alive = any(line.strip() == "done" for line in iter(psql.stdout.readline, ""))
            except OSError:
                alive = False
            if not alive or psql.poll() is not None:
                psql.kill()
                psql.wait()
                time.sleep(0.05)
                psql = self.session()
        psql.stdin.close()
        psql.stdout.close()
        psql.wait()

    def stop(self):
        self.stopping.set()
        self.thread.join()


class Bench:
    """A database, the whole system, a source and a file sink."""

    def __init__(self, rows):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}", flush=True)
        self.rows = rows
        self.cluster = Cluster().start()
        self.cluster.sql("CREATE DATABASE bench")
        self.cluster.sql("CREATE TABLE rows (id int PRIMARY KEY, version int NOT NULL, pad text); "
                         f"INSERT INTO rows SELECT i, 0, repeat('x', 60) FROM generate_series(0, {rows} - 1) i",
                         "bench")
        self.sluice = Sluice(PROGRAM).__enter__()
        self.path = f"{self.sluice.folder}/out.json"
        open(self.path, "w", encoding="utf-8").close()
        self.begin_connectors()

    def begin_connectors(self):
        quick = {"restart.backoff.initial.ms": "50", "restart.max.attempts": "1000"}
        for name, config in {
                "source": {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                           "database.hostname": "127.0.0.1", "database.port": str(self.cluster.port),
                           "database.user": "postgres", "database.dbname": "bench",
                           "plugin.name": "pgoutput", "topic.prefix": "crash",
                           "table.include.list": "public.rows", **JSON, **quick},
                "sink": {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
                         "topics": "crash.public.rows", "file": self.path, **TEXT, **quick}}.items():
            self.sluice.call("POST", "/connectors", {"name": name, "config": config})

    def pid(self, title):
        return next((pid for pid, (name, _) in self.sluice.processes().items() if name == title), None)

    def kill(self, title):
        """Kills the process with this title as soon as there is one."""
        pids = []
        self.wait(lambda: self.killed(title, pids), f"a process '{title}'")
        self.wait(lambda: self.pid(title) not in pids, f"the end of {title}")

    def killed(self, title, ret_pids):
        """Whether there was one; it may be ending just now, with a worker that was killed before."""
        pid = self.pid(title)
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, TypeError):
            return False
        ret_pids.append(pid)
        return True

    def kill_postgres(self):
        self.cluster.server.kill()
        self.cluster.server.wait()
        self.wait(self.restarted, "PostgreSQL running again")

    def restarted(self):
        try:
            return self.cluster.start()
        except SystemExit:  # The killed server's children still hold its memory.
            return None

    def size(self):
        return os.path.getsize(self.path)

    def wait(self, true, what, seconds=LIMIT_SECONDS):
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"not after {seconds} s: {what}\n{self.describe()}")
            time.sleep(0.02)

    def wait_growth(self, more):
        wanted = self.size() + more
        self.wait(lambda: self.size() >= wanted, f"{more} more bytes in the file")

    def describe(self):
        return f"status: {json.dumps(self.sluice.status())[:3000]}\nlog:\n{self.sluice.log_tail()}"

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n") and line != "null\n":
                    yield json.loads(line)

    def versions(self):
        """Row -> its versions in the order of the file, as (version, whether from a snapshot)."""
        found = {}
        for change in self.lines():
            row = change["after"]
            found.setdefault(row["id"], []).append((row["version"], change["op"] == "r"))
        return found

    def table(self):
        return {int(i): int(v) for i, v in self.cluster.sql("SELECT id, version FROM rows", "bench")}

    def arrived(self):
        last = {i: all_of[-1][0] for i, all_of in self.versions().items()}
        return last == self.table()

    def check_all_arrived(self):
        self.wait(self.arrived, "every row's last version in the file")

    def check_order(self):
        """A version that was not there before follows the highest one, or comes from a snapshot."""
        for row, all_of in self.versions().items():
            highest = None
            for version, snapshot in all_of:
                if highest is None or version > highest:
                    if highest is not None and version != highest + 1 and not snapshot:
                        raise AssertionError(f"row {row} jumps from {highest} to {version}")
                    highest = version

    def end(self):
        self.sluice.__exit__()
        self.cluster.__exit__()


VICTIMS = ("sluice:source", "sluice:sink", "sluice broker", "sluice standalone")


@test
def every_change_arrives_in_order_when_processes_are_killed_while_changes_flow():
    bench = Bench(200)
    traffic = None
    try:
        bench.check_all_arrived()
        traffic = Traffic(bench.cluster, bench.rows, bench.random)
        for victim in bench.random.sample(VICTIMS, 4) + bench.random.sample(VICTIMS, 2):
            bench.wait_growth(bench.random.randrange(2000, 12000))
            print(f"# kill -9 {victim}", flush=True)
            bench.kill(victim)
        bench.wait_growth(1000)
        traffic.stop()
        bench.check_all_arrived()
        bench.check_order()
    finally:
        if traffic:
            traffic.stop()
        bench.end()


@test
def every_row_arrives_when_processes_are_killed_while_the_table_is_read():
    for victim in VICTIMS:
        bench = Bench(40000)
        traffic = Traffic(bench.cluster, bench.rows, bench.random)
        try:
            bench.wait_growth(bench.random.randrange(1, 1000000))
            print(f"# kill -9 {victim} after {bench.size()} bytes", flush=True)
            bench.kill(victim)
            traffic.stop()
            bench.check_all_arrived()
            bench.check_order()
        finally:
            traffic.stop()
            bench.end()


@test
def the_source_goes_on_when_postgresql_has_crashed_and_is_back():
    bench = Bench(200)
    traffic = None
    try:
        bench.check_all_arrived()
        traffic = Traffic(bench.cluster, bench.rows, bench.random)
        for _ in range(2):
            bench.wait_growth(8000)
            bench.kill_postgres()
        bench.wait_growth(8000)
        traffic.stop()
        bench.check_all_arrived()
        bench.check_order()
    finally:
        if traffic:
            traffic.stop()
        bench.end()


main(sys.argv[2:])
