"""The demonstration behind ./quickstart: pgbench's tables, through the log, into a file and to a server."""

import argparse
import os
import signal
import subprocess
import sys
import time

from private_postgres import Cluster
from proof import TABLES, differences, last_states
from receiver import Receiver
from system import Sluice

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JSON = {"key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false"}
TOPIC = "shop.history"
ARRIVAL_SECONDS_MAX = 90


def connectors(cluster, receiver, path):
    """Three configurations as one would write them for Kafka Connect."""
    return {
        "bench-source": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1", "database.port": str(cluster.port),
            "database.user": "postgres", "database.password": "",
            "database.dbname": "bench", "plugin.name": "pgoutput", "topic.prefix": "shop",
            "table.include.list": "public.pgbench_.*",
            "transforms": "short", "transforms.short.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.short.regex": r"shop\.public\.pgbench_(.*)",
            "transforms.short.replacement": "shop.$1", **JSON},
        "bench-file": {
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "topics.regex": r"shop\..*", "file": path,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter"},
        "bench-http": {
            "connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector",
            "topics": TOPIC,
            "http.url": f"http://127.0.0.1:{receiver.port}/", "http.authorization.type": "none",
            "http.headers.content.type": "application/json", "batching.enabled": "true",
            "batch.prefix": "[", "batch.separator": ",", "batch.suffix": "]",
            "max.retries": "10", "retry.backoff.ms": "500", **JSON},
    }


def prepare(cluster, scale):
    cluster.sql("CREATE DATABASE bench")
    cluster.run("pgbench", "-i", "-q", "-s", str(scale), "-h", cluster.folder,
                "-p", str(cluster.port), "-U", "postgres", "bench")
    cluster.sql("ALTER TABLE pgbench_history ADD COLUMN id bigserial PRIMARY KEY", "bench")


def traffic(cluster, rate, seconds):
    limit = ["-R", str(rate)] if rate else []
    return cluster.popen("pgbench", "-n", "-c", "2", "-T", str(seconds), *limit,
                         "-h", cluster.folder, "-p", str(cluster.port), "-U", "postgres", "bench",
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def lag(metrics, name):
    """The sum of a connector's lag figures: records for a sink, bytes for the source."""
    found = [value for key, value in metrics.items()
             if "lag" in key and f'connector="{name}"' in key]
    return sum(found) if found else None


class Screen:
    """Redraws itself on a terminal; prints a line a second elsewhere."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.before = {}
        self.at = time.monotonic()

    def show(self, sluice, receiver):
        now = time.monotonic()
        topics = sluice.topics()
        span = max(now - self.at, 0.001)
        rates = {name: (count - self.before.get(name, 0)) / span
                 for name, count in topics.items()}
        self.before, self.at = topics, now
        if self.live:
            print("\033[H\033[J" + "\n".join(self.page(sluice, receiver, topics, rates)))
        else:
            total, rate = sum(topics.values()), sum(rates.values())
            print(f"{total:>10,} records in {len(topics)} topics, {rate:>8,.0f}/s; "
                  f"the receiver has {receiver.records:,}", flush=True)

    @staticmethod
    def page(sluice, receiver, topics, rates):
        metrics = sluice.metrics()
        yield "Sluice: PostgreSQL changes, through the log, into a file and to an HTTP server\n"
        yield f"{'topic':<34}{'records':>12}{'a second':>12}"
        for name, count in sorted(topics.items()):
            yield f"{name:<34}{count:>12,}{rates[name]:>12,.0f}"
        yield f"\n{'connector':<20}{'state':<12}{'tasks':<16}{'lag':>12}"
        for name, status in sorted(sluice.status().items()):
            behind = lag(metrics, name)
            unit = "bytes" if status.get("type") == "source" else "records"
            tasks = ",".join(task["state"] for task in status["tasks"]) or "none"
            shown = "?" if behind is None else f"{behind:,.0f} {unit}"
            yield f"{name:<20}{status['connector']['state']:<12}{tasks:<16}{shown:>12}"
        yield (f"\nthe receiver has {receiver.records:,} records in {receiver.requests:,} requests; "
               f"commit to receiver: median {percentile(receiver.latencies_ms[-2000:], .5):.1f} ms, "
               f"99 % {percentile(receiver.latencies_ms[-2000:], .99):.1f} ms")
        memory = sluice.processes()
        yield "\nmemory (MB): " + ", ".join(f"{title} {mb:.1f}" for title, mb in memory.values())
        yield f"\nREST:   {sluice.rest}          broker: {sluice.broker}"
        yield "try:    curl -s " + sluice.rest + "/connectors/bench-source/status"
        yield (f"        {os.path.relpath(sluice.program)} consume {TOPIC} "
               f"--bootstrap-server {sluice.broker} --from-beginning --max-messages 3")
        yield f"        tail -f {sluice.folder}/changes.json"
        yield "\nCtrl-C stops everything that was started here, and nothing else."


def failed(sluice):
    return [f"{name}: {part.get('trace', part['state'])}"
            for name, status in sluice.status().items()
            for part in [status["connector"], *status["tasks"]] if part["state"] == "FAILED"]


def wait_for_arrival(cluster, sluice, receiver, path):
    """Waits until file and receiver are complete; returns what still differs at the end."""
    wanted = int(cluster.sql("SELECT count(*) FROM pgbench_history", "bench")[0][0])
    deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
    found = ["nothing was looked at"]
    while time.monotonic() < deadline:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - 1))
            whole = file.read(1) == b"\n"
        if whole and len(receiver.ids) >= wanted:
            found = differences(cluster, last_states(path))
            in_topic = sluice.topics()[TOPIC]
            if receiver.records != in_topic:
                found.append(f"the receiver has {receiver.records} records, the topic {in_topic}")
            if not found:
                return []
        else:
            found = [f"the receiver has {len(receiver.ids)} of {wanted} rows of pgbench_history"]
        broken = failed(sluice)
        if broken:
            return found + broken
        time.sleep(0.2)
    return found


def summary(sluice, receiver, rows, seconds, arrived_s):
    print(f"\nall has arrived: {rows:,} records of {len(TABLES)} tables in the file, equal to the tables; "
          f"{receiver.records:,} at the receiver, as many as in the topic")
    print(f"  snapshot and changes   {rows / seconds:,.0f} rows/s over {seconds:.1f} s, "
          f"complete {arrived_s:.1f} s after the traffic had stopped")
    print(f"  commit to receiver     median {percentile(receiver.latencies_ms, .5):.1f} ms, "
          f"99 % {percentile(receiver.latencies_ms, .99):.1f} ms of {len(receiver.latencies_ms):,}")
    for title, mb in sluice.processes().values():
        print(f"  memory                 {mb:6.1f} MB  {title}")


def run(arguments):
    began = time.monotonic()
    print("starting a private PostgreSQL cluster with pgbench's tables", flush=True)
    with Cluster() as cluster, Receiver() as receiver:
        prepare(cluster, 1)
        with Sluice(arguments.program) as sluice:
            path = f"{sluice.folder}/changes.json"
            open(path, "w", encoding="utf-8").close()
            print(f"sluice up: REST at {sluice.rest}, broker at {sluice.broker}", flush=True)
            for name, config in connectors(cluster, receiver, path).items():
                sluice.call("POST", "/connectors", {"name": name, "config": config})
            flowing = time.monotonic()
            seconds = arguments.seconds if arguments.once else 10 ** 6
            bench = traffic(cluster, arguments.rate, seconds)
            screen = Screen()
            try:
                while bench.poll() is None:
                    time.sleep(1)
                    screen.show(sluice, receiver)
            finally:
                if bench.poll() is None:
                    bench.send_signal(signal.SIGINT)
                    bench.wait()
            stopped = time.monotonic()
            found = wait_for_arrival(cluster, sluice, receiver, path)
            now = time.monotonic()
            for difference in found:
                print(f"differs: {difference}")
            if found:
                print(sluice.log_tail(), file=sys.stderr)
                return 1
            with open(path, "rb") as file:
                rows = sum(1 for _ in file)
            summary(sluice, receiver, rows, now - flowing, now - stopped)
    print(f"done in {time.monotonic() - began:.0f} s; nothing is left running")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="./quickstart")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "sluice"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(arguments)
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running")
        return 0


if __name__ == "__main__":
    sys.exit(main())
