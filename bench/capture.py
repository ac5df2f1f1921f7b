"""Change capture: rate, latency, memory and CPU, each beside what limits it in the same run.

usage: bench/capture.py [--case NAME]... [--repeats N] [--scale F] [--program build/sluice]

Everything runs on this machine, in a private PostgreSQL with six-column rows of about 105 bytes, the
source with its defaults and JSON, one topic with one partition, acks=all. Repeats go around the
subjects, so that whatever disturbs the machine disturbs all. The limits: pg_recvlogical into /dev/null
on a copy of the same slot (less the time it takes to receive nothing), COPY of the same table into
/dev/null, and for records with schemas librdkafka alone, which sends as many bytes a record to the same
broker. With PEERS naming a folder that has the jars of Apache Kafka in kafka/ and of Debezium in
debezium/, those run beside, their producer tuned.

A virtual machine may get memory from its host only when it first touches it, and give back soon what it
does not use. Both show as CPU of whoever fills the page cache: 1.9 GB into a file took 3.5 to 4.3 s of CPU,
and 0.4 s right behind another file that was written and deleted, 2.1 s three seconds later. So before each
run a file as large as what it logs is written and deleted; what a run takes late is still paid for.

Rates run from the first record in the log to the last; CPU is user and system time of the connector
host (Debezium: of the worker) and of the broker, per million rows; memory is the host's peak, with all
libraries.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from captures import HERE, Debezium, Offsets, Sluice, cpu_seconds, peak_mb, wake_ups
from private_postgres import Cluster

ROW = ("i, i::int8 * 7919, 'name of row ' || i, i * 1.01, now(), repeat('note', 10)")
TABLE = ("CREATE TABLE wide (id int8 PRIMARY KEY, number int8, name text, price numeric(12,2), "
         "at timestamptz, note text)")
JSON = "org.apache.kafka.connect.json.JsonConverter"
LOGGED = {"false": 900, "true": 3800}  # Bytes a record in the log, without schemas and with them.
# name: (what it is, rows, rows a transaction (0: all))
CASES = {
    "bulk": ("1000-row transactions", 500000, 1000),
    "single": ("1-row transactions", 200000, 1),
    "large": ("one transaction of 3 million rows", 3000000, 0),
    "snapshot": ("snapshot of 1 million rows", 1000000, 0),
    "latency": ("single-row commits at a fixed rate, row's time to consumer", 0, 0),
}


class Table:
    """Figures of repeats by line and column; printed as median (least to most)."""

    def __init__(self, title):
        self.title, self.lines = title, {}

    def add(self, line, **figures):
        for name, value in figures.items():
            self.lines.setdefault(line, {}).setdefault(name, []).append(value)
        print(f"{self.title}, {line}: " + ", ".join(f"{n} {text(v)}" for n, v in figures.items()),
              file=sys.stderr, flush=True)

    def show(self):
        columns = list(dict.fromkeys(name for line in self.lines.values() for name in line))
        print(f"\n{self.title}\n\n| | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
        for name, figures in self.lines.items():
            print(f"| {name} | " + " | ".join(spread(figures.get(c)) for c in columns) + " |")
        sys.stdout.flush()


def text(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def spread(values):
    if not values:
        return ""
    middle = text(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({text(min(values))} to {text(max(values))})"


class Database:
    """A cluster with the rows of a case behind the slot `origin`."""

    def __init__(self, case, scale):
        _, rows, self.size = CASES[case]
        self.rows, self.slots = max(1000, int(rows * scale) // 1000 * 1000), 0
        self.cluster = Cluster({"max_wal_size": "8GB", "shared_buffers": "512MB"})

    def __enter__(self):
        self.cluster.start()
        self.cluster.sql("CREATE DATABASE bench")
        self.sql(TABLE + "; CREATE PUBLICATION bench FOR TABLE wide")
        return self

    def __exit__(self, *what):
        self.cluster.__exit__(*what)

    def sql(self, statement):
        return self.cluster.sql(statement, "bench")

    def fill(self, behind_slot):
        if behind_slot:
            self.sql("SELECT pg_create_logical_replication_slot('origin', 'pgoutput')")
        size = self.size or self.rows
        self.sql("DO $$ BEGIN PERFORM set_config('synchronous_commit', 'off', false); "
                 f"FOR t IN 0..{self.rows // size - 1} LOOP INSERT INTO wide SELECT {ROW} "
                 f"FROM generate_series(t * {size} + 1, (t + 1) * {size}) i; COMMIT; END LOOP; END $$")
        self.sql("VACUUM ANALYZE wide")
        self.sql("CHECKPOINT")
        end = self.sql("SELECT pg_current_wal_flush_lsn()")[0][0]
        self.sql("INSERT INTO wide VALUES (-1)")  # Something behind the end position.
        return end

    def host(self, transport):
        return self.cluster.folder if transport == "socket" else "127.0.0.1"

    def copy_slot(self):
        self.slots += 1
        self.sql(f"SELECT pg_copy_logical_replication_slot('origin', 'copy_{self.slots}')")
        return f"copy_{self.slots}"

    def drop_slot(self, name):
        while self.sql(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND active"):
            time.sleep(0.05)
        self.sql(f"SELECT pg_drop_replication_slot('{name}')")

    def recvlogical(self, slot, transport):
        return ["-h", self.host(transport), "-p", str(self.cluster.port), "-U", "postgres", "-d", "bench",
                "--slot", slot, "--start", "-o", "proto_version=1", "-o", "publication_names=bench",
                "--no-loop"]

    def receive(self, transport, end):
        """Seconds that pg_recvlogical takes to `end`."""
        slot = self.copy_slot()
        began = time.monotonic()
        self.cluster.run("pg_recvlogical", *self.recvlogical(slot, transport), "--endpos", end,
                         "-f", "/dev/null")
        seconds = time.monotonic() - began
        self.drop_slot(slot)
        return seconds

    def first_byte(self, transport):
        """Seconds until pg_recvlogical gives the first byte."""
        slot = self.copy_slot()
        began = time.monotonic()
        receiver = self.cluster.popen("pg_recvlogical", *self.recvlogical(slot, transport), "-f", "-",
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        receiver.stdout.read(1)
        seconds = time.monotonic() - began
        receiver.kill()
        receiver.stdout.close()
        receiver.wait()
        self.drop_slot(slot)
        return seconds

    def limit(self, transport, end):
        """Rows a second of pg_recvlogical."""
        start = self.sql("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'origin'")
        nothing = self.receive(transport, start[0][0]) if self.size else 0
        return self.rows / (self.receive(transport, end) - nothing)


def touch_memory(size):
    """Gets so many bytes of page cache from whoever has them, for the log to fill."""
    piece = b"x" * (1 << 20)
    with tempfile.TemporaryFile(dir="/tmp") as file:
        for _ in range(size // len(piece)):
            file.write(piece)


class Capture:
    """A connector of `subject` on a table of `base`."""
    count = 0

    def __init__(self, subject, base, table, **config):
        Capture.count += 1
        self.subject, self.name = subject, f"c{Capture.count}"
        self.topic = f"{self.name}.public.{table}"
        subject.create_topic(self.topic)
        self.offsets = Offsets(subject.bootstrap, self.topic)
        _, broker = subject.pids(self.name)
        self.broker, self.broker_cpu = broker, cpu_seconds(broker)
        self.captor_cpu = cpu_seconds(subject.pids(self.name)[0]) if subject.name != "sluice" else 0
        self.began = time.monotonic()
        subject.call("POST", "/connectors", {"name": self.name, "config": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.port": str(base.cluster.port), "database.user": "postgres", "database.password": "x",
            "database.dbname": "bench", "plugin.name": "pgoutput", "publication.name": "bench",
            "publication.autocreate.mode": "disabled", "topic.prefix": self.name,
            "table.include.list": f"public.{table}", "key.converter": JSON, "value.converter": JSON,
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
            **subject.tuned, **config}})

    def captor(self):
        return self.subject.pids(self.name)[0]

    def run(self, rows):
        """Awaits all `rows`: seconds to the first, rows a second from there, and what it cost."""
        while (at_first := self.offsets.end()) == 0:
            time.sleep(0.002)
        first = time.monotonic()
        while (have := self.offsets.end()) < rows:
            time.sleep(0.005)
        seconds = time.monotonic() - first
        return {"first s": first - self.began, "rows/s": (rows - at_first) / seconds,
                **self.cost(rows), **({"surplus": have - rows} if have > rows else {})}

    def cost(self, rows):
        captor = self.captor()
        cpu = cpu_seconds(captor) - self.captor_cpu + cpu_seconds(self.broker) - self.broker_cpu
        return {"CPU s/M": cpu / rows * 1e6, "broker's": (cpu_seconds(self.broker) - self.broker_cpu) / rows * 1e6,
                "memory MB": peak_mb(captor)}

    def end(self):
        self.subject.call("DELETE", f"/connectors/{self.name}")
        self.subject.delete_topic(self.topic)


def client(given, *words):
    return os.path.join(os.path.dirname(given.program), "bench", "bench-capture-client"), *map(str, words)


def produce(given, subject, count, size):
    """Records a second of librdkafka alone."""
    Capture.count += 1
    topic = f"produced-{Capture.count}"
    subject.create_topic(topic)
    touch_memory(count * LOGGED["true"])
    done = subprocess.run(client(given, "produce", subject.bootstrap, topic, count, size),
                          check=True, capture_output=True, text=True)
    subject.delete_topic(topic)
    return count / json.loads(done.stdout)["seconds"]


def stream_once(subject, base, transport, schemas):
    slot = base.copy_slot()
    touch_memory(base.rows * LOGGED[schemas])
    one = Capture(subject, base, "wide", **{
        "database.hostname": base.host(transport), "slot.name": slot, "snapshot.mode": "no_data",
        "key.converter.schemas.enable": schemas, "value.converter.schemas.enable": schemas})
    figures = one.run(base.rows + 1)
    one.end()
    base.drop_slot(slot)
    return figures


def stream(given, case, subjects, table):
    with Database(case, given.scale) as base:
        end = base.fill(behind_slot=True)
        for _ in range(given.repeats):
            for transport in ("TCP", "socket"):
                limit = base.limit(transport, end)
                table.add(f"pg_recvlogical, {transport}", **{"rows/s": limit})
                for subject in subjects:
                    if transport == "socket" and subject.name == "debezium":
                        continue  # pgjdbc has no way to it.
                    figures = stream_once(subject, base, transport, "false")
                    table.add(f"{subject.name}, {transport}", ratio=figures["rows/s"] / limit, **figures)
            for subject in subjects:
                alone = produce(given, subject, base.rows, 3600)
                table.add(f"librdkafka alone, 3600 bytes, to {subject.name}'s broker", **{"rows/s": alone})
                figures = stream_once(subject, base, "TCP", "true")
                table.add(f"{subject.name}, TCP, with schemas", ratio=figures["rows/s"] / alone, **figures)


def large(given, case, subjects, table):
    with Database(case, given.scale) as base:
        end = base.fill(behind_slot=True)
        for _ in range(given.repeats):
            table.add("pg_recvlogical, TCP", **{"first s": base.first_byte("TCP"),
                                                "rows/s": base.limit("TCP", end)})
            for subject in subjects:
                table.add(f"{subject.name}, TCP", **stream_once(subject, base, "TCP", "false"))


def copy(base, transport):
    """Rows a second of COPY into /dev/null."""
    began = time.monotonic()
    base.cluster.run("psql", "-X", "-q", "-h", base.host(transport), "-p", str(base.cluster.port), "-U",
                     "postgres", "-d", "bench", "-c", "\\copy wide TO '/dev/null'")
    return base.rows / (time.monotonic() - began)


LZ4 = {"producer.override.compression.type": "lz4"}


def snapshot(given, case, subjects, table):
    with Database(case, given.scale) as base:
        base.fill(behind_slot=False)
        for number in range(given.repeats):
            limit = copy(base, "TCP")
            table.add("COPY, TCP", **{"rows/s": limit})
            for subject in subjects:
                for what, schemas, keys in (("", "false", {}), (", with schemas", "true", {}),
                                            (", with schemas, lz4", "true", LZ4)):
                    slot = f"snapshot_{subject.name}_{number}_{len(what)}"
                    touch_memory(base.rows * LOGGED[schemas])
                    one = Capture(subject, base, "wide", **{
                        "database.hostname": "127.0.0.1", "slot.name": slot,
                        "snapshot.mode": "initial_only",
                        "key.converter.schemas.enable": schemas, "value.converter.schemas.enable": schemas,
                        **keys})
                    figures = one.run(base.rows + 1)
                    one.end()
                    base.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                             f"WHERE slot_name = '{slot}' AND NOT active")
                    table.add(subject.name + what, ratio=figures["rows/s"] / limit, **figures)


STAMP = ("INSERT INTO stamped (sent, note) VALUES ('T' || (extract(epoch FROM clock_timestamp()) * 1000000)"
         "::int8, 'a note of about forty characters, roughly');\n")


def traffic(base, rate, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(STAMP)
        script.flush()
        os.chmod(script.name, 0o644)
        out = base.cluster.run("pgbench", "-h", "127.0.0.1", "-p", str(base.cluster.port), "-U", "postgres",
                               "-n", "-c", "4", "-j", "1", "-M", "prepared", "-R", str(rate), "-t",
                               str(rate * seconds // 4), "-f", script.name, "bench")
    return int(re.search(r"actually processed: (\d+)", out)[1])


def latency_once(given, subject, base, rate, seconds):
    base.slots += 1
    slot = f"copy_{base.slots}"
    base.sql(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    one = Capture(subject, base, "stamped", **{
        "database.hostname": "127.0.0.1", "slot.name": slot, "snapshot.mode": "no_data",
        **({"poll.interval.ms": "1", "producer.override.linger.ms": "0"} if subject.tuned else {})})
    while one.offsets.end() == 0:  # It streams when a row has come through.
        base.sql("INSERT INTO stamped (sent) VALUES ('warm')")
        time.sleep(0.2)
    time.sleep(1)
    total = rate * seconds // 4 * 4
    consumer = subprocess.Popen(client(given, "stamps", subject.bootstrap, one.topic, total, seconds + 20),
                                stdout=subprocess.PIPE, text=True)
    consumer.stdout.readline()
    time.sleep(0.5)
    captor, broker = one.captor(), one.broker
    cpu, wakes = cpu_seconds(captor) + cpu_seconds(broker), wake_ups(captor)
    began = time.monotonic()
    traffic(base, rate, seconds)
    taken = time.monotonic() - began
    figures = json.loads(consumer.communicate()[0])
    cpu, wakes = cpu_seconds(captor) + cpu_seconds(broker) - cpu, wake_ups(captor) - wakes
    time.sleep(1)
    resting = wake_ups(captor)
    time.sleep(3)
    resting = (wake_ups(captor) - resting) / 3
    one.end()
    base.drop_slot(slot)
    if figures.pop("count") != total:
        raise SystemExit(f"{subject.name}: not all of {total} rows have arrived")
    return {**{f"{name} ms": value for name, value in figures.items()}, "CPU ms/s": cpu / taken * 1000,
            "host wakes/s": wakes / taken, "at rest": resting}


def latency(given, case, subjects, table):
    with Database(case, given.scale) as base:
        base.sql("CREATE TABLE stamped (id bigserial PRIMARY KEY, sent text, note text); "
                 "ALTER PUBLICATION bench ADD TABLE stamped")
        for _ in range(given.repeats):
            for rate in (200, 2000):
                for subject in subjects:
                    figures = latency_once(given, subject, base, rate, max(4, int(10 * given.scale)))
                    table.add(f"{subject.name}, {rate}/s", **figures)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    given.program = os.path.abspath(given.program)
    subjects = [Sluice(given.program)]
    peers = os.environ.get("PEERS")
    missing = Debezium.why_not(peers)
    if missing is None:
        subjects.append(Debezium(peers, tempfile.mkdtemp(prefix="sluice-bench-", dir="/tmp")))
    else:
        print(f"without Debezium: {missing}", file=sys.stderr)
    run = {"snapshot": snapshot, "latency": latency, "large": large}
    try:
        for subject in subjects:
            subject.__enter__()
        for case in given.case or CASES:
            table = Table(f"{case}: {CASES[case][0]}")
            run.get(case, stream)(given, case, subjects, table)
            table.show()
    finally:
        for subject in subjects:
            subject.__exit__(None, None, None)


if __name__ == "__main__":
    main()
