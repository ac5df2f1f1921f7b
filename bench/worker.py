"""A worker with many connectors that have nothing to do: how fast it starts, makes and deletes them, what it weighs,
and what it does while nothing happens.

usage: bench/worker.py [--count 100] [--repeats 3] [--kind source|sink] [--idle SECONDS] [--program build/sluice]

Connectors are FileStreamSources on files of their own, which are empty, or FileStreamSinks of a topic that is. They are
made and deleted by REST, one after the other on one connection; "running" is when the status of the last one says so.
Memory is PSS of all the worker's processes: shared pages are divided among those who share them. Wake-ups are voluntary
context switches of all their threads. With PEERS naming a folder that has Apache Kafka's jars in kafka/ and those of
its file connectors in file/, Kafka Connect runs beside, on the same broker.
"""
import argparse
import glob
import http.client
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import brokers

HERE = os.path.dirname(os.path.abspath(__file__))
STRING = "org.apache.kafka.connect.storage.StringConverter"


def below(pid):
    """A process and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                    children.setdefault(int(stat.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
            except OSError:
                pass
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def pss_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) / 1024 for line in rollup if line.startswith("Pss:"))


def cpu_ms(pid):
    """To the nanosecond, where /proc/PID/stat has ticks of 10 ms."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total / 1e6


def wake_ups(pid):
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path, encoding="ascii") as status:
            count += next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))
    return count


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


class Worker:
    """Sluice's, or Kafka Connect's where `libs` are its jars."""

    def __init__(self, command, bootstrap, plugins):
        self.folder = tempfile.mkdtemp(prefix="sluice-bench-")
        self.port = brokers.free_port()
        settings = {"bootstrap.servers": bootstrap, "listeners": f"http://127.0.0.1:{self.port}",
                    "key.converter": STRING, "value.converter": STRING,
                    "offset.storage.file.filename": f"{self.folder}/offsets"}
        if plugins:
            settings["plugin.path"] = plugins
        with open(f"{self.folder}/worker.properties", "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        self.rest = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        began = time.monotonic()
        with open(f"{self.folder}/log", "wb") as log:
            self.process = subprocess.Popen(command + [f"{self.folder}/worker.properties"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.start_ms = self.await_rest(began)

    def await_rest(self, began):
        while True:
            try:
                if self.call("GET", "/connectors")[0] == 200:
                    return (time.monotonic() - began) * 1000
            except (OSError, ValueError):  # Jetty answers before Kafka Connect does.
                self.rest.close()
            if self.process.poll() is not None:
                raise SystemExit(f"the worker ended: see {self.folder}/log")
            time.sleep(0.0005)

    def call(self, method, path, body=None):
        self.rest.request(method, path, None if body is None else json.dumps(body),
                          {"Content-Type": "application/json"})
        answer = self.rest.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None

    def create(self, kind, number):
        path = f"{self.folder}/file-{number}"
        with open(path, "w", encoding="utf-8"):
            pass
        config = {"connector.class": f"FileStream{kind.capitalize()}", "file": path,
                  "topic" if kind == "source" else "topics": "idle"}
        status, body = self.call("POST", "/connectors", {"name": f"idle-{number}", "config": config})
        if status != 201:
            raise SystemExit(f"{status}: {body}")

    def all_run(self):
        states = self.call("GET", "/connectors?expand=status")[1].values()
        return all(one["status"]["connector"]["state"] == "RUNNING" and
                   [task["state"] for task in one["status"]["tasks"]] == ["RUNNING"] for one in states)

    def sum_of(self, figure):
        return sum(figure(pid) for pid in below(self.process.pid))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)


def idle(worker, seconds):
    """Milliseconds of CPU and wake-ups in a second, over all processes."""
    before = worker.sum_of(cpu_ms), worker.sum_of(wake_ups), time.monotonic()
    time.sleep(seconds)
    over = time.monotonic() - before[2]
    return (worker.sum_of(cpu_ms) - before[0]) / over, (worker.sum_of(wake_ups) - before[1]) / over


def once(command, bootstrap, plugins, given):
    """Figure -> value."""
    worker = Worker(command, bootstrap, plugins)
    try:
        found = {"exec to REST, ms": worker.start_ms}
        time.sleep(2)
        found["idle worker, PSS MB"] = worker.sum_of(pss_mb)
        began = time.monotonic()
        for number in range(given.count):
            worker.create(given.kind, number)
        found["created, s"] = time.monotonic() - began
        while not worker.all_run():
            time.sleep(0.005)
        found["all RUNNING, s"] = time.monotonic() - began
        time.sleep(given.settle)  # Whoever looked at them is gone, and what they began is done.
        memory = worker.sum_of(pss_mb)
        found["PSS with them, MB"] = memory
        found["a connector, PSS MB"] = (memory - found["idle worker, PSS MB"]) / given.count
        found["threads"] = worker.sum_of(threads)
        found["idle CPU, ms/s"], found["wake-ups/s"] = idle(worker, given.idle)
        worker.rest.close()  # It has been silent for longer than a server waits.
        began = time.monotonic()
        for number in range(given.count):
            worker.call("DELETE", f"/connectors/idle-{number}")
        found["deleted, s"] = time.monotonic() - began
        return found
    finally:
        worker.stop()


def show(name, runs):
    print(f"\n{name}")
    for figure in runs[0]:
        values = [run[figure] for run in runs]
        print(f"  {figure:<22} {statistics.median(values):9.2f} ({min(values):.2f} to {max(values):.2f})")


def connect_of(peers):
    """The command and plugin path of Kafka Connect, or None."""
    if not peers or not glob.glob(f"{peers}/kafka/connect-runtime-*.jar") or not shutil.which("java"):
        print("Kafka Connect does not run: PEERS names no folder with its jars, or there is no java")
        return None
    return (["java", "-Xms64m", "-Xmx512m", "-cp", f"{peers}/kafka/*",
             "org.apache.kafka.connect.cli.ConnectStandalone"], f"{peers}/file")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kind", choices=("source", "sink"), default="source")
    parser.add_argument("--idle", type=float, default=20)
    parser.add_argument("--settle", type=float, default=65)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sluice-bench-")
    broker = brokers.Sluice(f"{folder}/broker", os.path.abspath(given.program))
    broker.start()
    bootstrap = f"127.0.0.1:{broker.port}"
    connect = connect_of(os.environ.get("PEERS"))
    ours, theirs = [], []
    try:
        for _ in range(given.repeats):
            ours.append(once([os.path.abspath(given.program), "standalone"], bootstrap, None, given))
            if connect:
                theirs.append(once(connect[0], bootstrap, connect[1], given))
        show(f"Sluice, {given.count} connectors", ours)
        if theirs:
            show("Kafka Connect", theirs)
    finally:
        broker.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
