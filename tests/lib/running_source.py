"""The PostgreSQL source against a server, without a worker: connectors/postgres/postgres_run.c prints its
records as JSON.

    running_source.begin(program, server)
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    records = c.run({"snapshot.mode": "initial"})
"""
import json
import os
import re
import subprocess
import threading
import time

program = None
server = None
numbers = iter(range(1, 1000))


def begin(the_program, the_server):
    global program, server
    program, server = the_program, the_server


NO_ROWS = {"snapshot.mode": "no_data"}


def check_equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {str(got)[:2000]}, wanted {str(wanted)[:2000]}")


def read(line):
    """A record; the fakes of libsluice-test show bytes as 0x00ff, which is no JSON."""
    return json.loads(re.sub(r'([:\[,])(0x[0-9a-f]*)(?=[,\]}])', r'\1"\2"', line))


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


class Connector:
    """A database, a slot and a stored position of a test's own. Ends what the one before left."""

    processes = []

    def __init__(self, *statements):
        for process in Connector.processes:
            process.kill()
            process.wait()
        Connector.processes.clear()
        until(lambda: server.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "0")
        server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        number = next(numbers)
        self.slot = f"slot_{number}"
        self.folder = os.path.join(server.parent, f"test_{number}")
        os.mkdir(self.folder)
        self.offsets = os.path.join(self.folder, "offsets")
        server.database = "postgres"
        self.database = f"db_{number}"
        server.sql(f"CREATE DATABASE {self.database}")
        server.database = self.database
        if statements:
            server.sql(*statements)

    def command(self, keys, options):
        config = {"database.hostname": server.folder, "database.port": server.port,
                  "database.user": "postgres", "database.dbname": self.database,
                  "topic.prefix": "p", "slot.name": self.slot, **keys}
        return [program, "-o", self.offsets, *options, *(f"{k}={v}" for k, v in config.items())]

    def start(self, keys=None, *options):
        self.log_file = open(os.path.join(self.folder, f"log{next(numbers)}"), "w+")
        process = subprocess.Popen(self.command(keys or {}, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=self.log_file, text=True)
        process.log_file = self.log_file
        Connector.processes.append(process)
        return process

    def finish(self, process):
        """The rest of its records, when it has ended by itself."""
        killer = threading.Timer(120, process.kill)
        killer.start()
        process.stdin.close()
        records = [read(line) for line in process.stdout]
        self.status = process.wait()
        killer.cancel()
        process.log_file.seek(0)
        self.log = process.log_file.read()
        return records

    def run(self, keys=None, *options):
        """Its records until nothing more comes; fails if it fails."""
        records = self.finish(self.start(keys, *options))
        if self.status != 0:
            raise AssertionError(self.log)
        return records

    def fault(self, keys=None, *options):
        """What it says when it refuses to run."""
        self.finish(self.start(keys, "-n", "1", *options))
        if self.status == 0:
            raise AssertionError("it ran")
        lines = [line for line in self.log.splitlines() if " INFO " not in line]
        return lines[-1]

    def stored(self):
        with open(self.offsets) as file:
            return {name: text for name, _, text in (line.split() for line in file)}


def ops(records):
    return "".join(r["value"]["op"] if r["value"] else "-" for r in records)


def after(records, name):
    return [r["value"]["after"][name] for r in records if r["value"] and r["value"]["after"]]


def key_of(record):
    return json.dumps(record["key"], sort_keys=True)


def fold(records, state=None):
    """What a compacted topic, or a table kept by key, holds after these records."""
    state = {} if state is None else state
    for record in records:
        if record["value"] is None:
            state.pop(key_of(record), None)
        elif record["value"]["op"] == "d":
            state.pop(key_of(record), None)
        else:
            state[key_of(record)] = record["value"]["after"]
    return state


def table(name, columns, key="id"):
    return {json.dumps({key: int(row[0])}): dict(zip(columns, row))
            for row in server.rows(f"SELECT {', '.join(columns)} FROM {name}")}


def as_texts(state, columns):
    return {key: {c: None if row[c] is None else str(row[c]) for c in columns}
            for key, row in state.items()}


def check_has(text, part):
    if part not in text:
        raise AssertionError(f"{text!r} lacks {part!r}")
