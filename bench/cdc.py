"""Change capture, rows a second into the topic, beside pg_recvlogical on the same changes in the same run.

usage: bench/cdc.py [--rows N] [--repeats N] [--schemas] [--program build/sluice]

A private PostgreSQL holds the changes of N rows (inserted 1000 a transaction) behind a slot. Each
repeat copies the slot twice: once for pg_recvlogical over TCP into /dev/null, once for Sluice's
source (snapshot.mode=no_data) into a topic. The rate is from the first record in the topic to the
last; CPU is user and system time of the connector host and of the broker. Prints every run, then
median, least and most.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "examples", "quickstart")]
from private_postgres import Cluster
from system import Sluice

TICKS = os.sysconf("SC_CLK_TCK")
JSON = "org.apache.kafka.connect.json.JsonConverter"


def prepare(cluster, rows):
    cluster.sql("CREATE DATABASE bench")
    cluster.sql("CREATE TABLE wide (id int8 PRIMARY KEY, number int8, name text, price numeric(12,2), "
                "at timestamptz, note text); CREATE PUBLICATION bench FOR TABLE wide", "bench")
    cluster.sql("SELECT pg_create_logical_replication_slot('origin', 'pgoutput')", "bench")
    cluster.sql("DO $$ BEGIN FOR t IN 0.." + str(rows // 1000 - 1) + " LOOP "
                "INSERT INTO wide SELECT t * 1000 + i, i * 7919, 'name of row ' || i, i * 1.01, "
                "now(), repeat('note', 10) FROM generate_series(1, 1000) i; COMMIT; "
                "END LOOP; END $$", "bench")


def copy_slot(cluster, name):
    cluster.sql(f"SELECT pg_copy_logical_replication_slot('origin', '{name}')", "bench")


def drop_slot(cluster, name):
    while cluster.sql(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND active"):
        time.sleep(0.05)
    cluster.sql(f"SELECT pg_drop_replication_slot('{name}')", "bench")


def recvlogical(cluster, rows, end):
    """Seconds that pg_recvlogical takes to the end of the changes."""
    copy_slot(cluster, "limit_slot")
    began = time.monotonic()
    cluster.run("pg_recvlogical", "-h", "127.0.0.1", "-p", str(cluster.port), "-U", "postgres", "-d",
                "bench", "--slot", "limit_slot", "--start", "--endpos", end, "-f", "/dev/null",
                "-o", "proto_version=1", "-o", "publication_names=bench", "--no-loop")
    seconds = time.monotonic() - began
    drop_slot(cluster, "limit_slot")
    return rows / seconds


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICKS


def pid_of(sluice, title):
    return next(pid for pid, (name, _) in sluice.processes().items() if name == title)


def count(sluice):
    return sluice.topics().get("cdc.public.wide", 0)


def capture(cluster, program, rows, schemas):
    """Rows a second, and CPU microseconds a row of host and broker, and the host's memory."""
    copy_slot(cluster, "sluice_slot")
    with Sluice(program) as sluice:
        subprocess.run([program, "topics", "create", "cdc.public.wide", "--partitions", "1",
                        "--bootstrap-server", sluice.broker], check=True, capture_output=True)
        sluice.call("POST", "/connectors", {"name": "cdc", "config": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1", "database.port": str(cluster.port),
            "database.user": "postgres", "database.dbname": "bench", "plugin.name": "pgoutput",
            "slot.name": "sluice_slot", "publication.name": "bench",
            "publication.autocreate.mode": "disabled", "topic.prefix": "cdc",
            "table.include.list": "public.wide", "snapshot.mode": "no_data",
            "key.converter": JSON, "value.converter": JSON,
            "key.converter.schemas.enable": schemas, "value.converter.schemas.enable": schemas}})
        while count(sluice) == 0:
            time.sleep(0.005)
        began, at_first = time.monotonic(), count(sluice)
        while (have := count(sluice)) < rows:
            time.sleep(0.01)
        seconds = time.monotonic() - began
        host, broker = pid_of(sluice, "sluice:cdc"), pid_of(sluice, "sluice broker")
        cpu = cpu_seconds(host) + cpu_seconds(broker)
        memory = sluice.processes()[host][1]
        if have != rows:
            print(f"surplus: {have - rows} records more than rows")
    drop_slot(cluster, "sluice_slot")
    return (rows - at_first) / seconds, cpu / rows * 1e6, memory


def spread(values, unit):
    return f"{statistics.median(values):,.2f} ({min(values):,.2f} to {max(values):,.2f}) {unit}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=500000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--schemas", action="store_true")
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    program = os.path.abspath(given.program)
    limits, rates, costs, ratios = [], [], [], []
    with Cluster() as cluster:
        prepare(cluster, given.rows)
        end = cluster.sql("SELECT pg_current_wal_flush_lsn()", "bench")[0][0]
        cluster.sql("INSERT INTO wide VALUES (-1)", "bench")  # Something behind the end position.
        rows = given.rows + 1
        for number in range(given.repeats):
            limits.append(recvlogical(cluster, given.rows, end))
            rate, cost, memory = capture(cluster, program, rows, str(given.schemas).lower())
            rates.append(rate)
            costs.append(cost)
            ratios.append(rate / limits[-1])
            print(f"run {number + 1}: pg_recvlogical {limits[-1]:,.0f} rows/s, sluice {rate:,.0f} rows/s "
                  f"({ratios[-1]:.2f}), {cost:.2f} us of CPU a row, host {memory:.1f} MB", flush=True)
    print(f"pg_recvlogical {spread(limits, 'rows/s')}\nsluice         {spread(rates, 'rows/s')}\n"
          f"ratio          {spread(ratios, '')}\nhost + broker  {spread(costs, 'us of CPU a row')}")


if __name__ == "__main__":
    main()
