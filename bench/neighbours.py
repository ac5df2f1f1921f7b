"""What a connector gets done beside others that misbehave: its rate, as a part of its rate alone.

usage: bench/neighbours.py [--count 4] [--seconds 5] [--repeats 3] [--program build/sluice]

A file source copies a large file into a topic as fast as it can, so that it feels whatever its neighbours take from the
machine. Beside it run COUNT connectors of one kind: idle ones, some that crash and are started again, some that print,
flood the worker, or spin, these also with a share of the processor (host.cpu.max.percent) and with host.nice. Beside the
rate stands how long REST took to say a status in these seconds: the median, and the longest.
"""
import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", "lib")]
from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402

AGAIN = {"restart.backoff.initial.ms": "100", "restart.backoff.max.ms": "100", "restart.max.attempts": "1000000"}
LINE = b"a line of a hundred bytes, as those of the other benchmarks are, so that rates can be compared .. ..\n"
NEIGHBOURS = {
    "nobody": None,
    "idle": {},
    "crashing, again each 0.1 s": {"test.misbehave": "crash", **AGAIN},
    "printing without an end": {"test.misbehave": "prints", "host.call.timeout.ms": "0"},
    "flooding the worker": {"test.misbehave": "flood", **AGAIN},
    "spinning": {"test.misbehave": "spin", "host.call.timeout.ms": "0"},
    "spinning, host.nice=19": {"test.misbehave": "spin", "host.call.timeout.ms": "0", "host.nice": "19"},
    "spinning, host.cpu.max.percent=5": {"test.misbehave": "spin", "host.call.timeout.ms": "0",
                                         "host.cpu.max.percent": "5"},
}


def records(worker):
    """What the file source has moved so far."""
    for line in worker.request("GET", "/metrics")[2].decode().splitlines():
        if line.startswith('sluice_task_records_total{connector="healthy"'):
            return float(line.split()[-1])
    return 0.0


def measure(worker, seconds):
    """Records a second, and what REST took for each answer, in ms."""
    first, began, answers = records(worker), time.monotonic(), []
    while time.monotonic() < began + seconds:
        asked = time.monotonic()
        worker.call("GET", "/connectors/healthy/status")
        answers.append((time.monotonic() - asked) * 1000)
        time.sleep(0.02)
    return (records(worker) - first) / (time.monotonic() - began), answers


def once(given, neighbours, path):
    with RunningBroker(given.program, {"log.retention.bytes": str(256 << 20)}) as broker:
        worker = RunningWorker([given.program, "standalone"], {
            "bootstrap.servers": broker.address, "plugin.path": given.plugin, "offset.flush.interval.ms": "1000"})
        try:
            for number in range(given.count if neighbours is not None else 0):
                config = {"connector.class": "TestSource", "test.topic": "neighbours", "test.misbehave.at": "poll",
                          **neighbours}
                worker.call("POST", "/connectors", {"name": f"neighbour-{number}", "config": config})
            worker.call("POST", "/connectors", {"name": "healthy", "config": {
                "connector.class": "FileStreamSource", "file": path, "topic": "healthy"}})
            until(lambda: records(worker) > 0, worker.log)
            time.sleep(1)
            return measure(worker, given.seconds)
        finally:
            worker.stop()


def show(runs):
    alone = statistics.median(rate for rate, _ in runs["nobody"])
    for name, found in runs.items():
        rates = [rate for rate, _ in found]
        answers = [ms for _, all_ms in found for ms in all_ms]
        print(f"{name:<33} {statistics.median(rates):9.0f} records/s ({min(rates):.0f} to {max(rates):.0f}), "
              f"{statistics.median(rates) / alone:.2f} of alone; REST {statistics.median(answers):.1f} ms, "
              f"{max(answers):.0f} at most")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=4000)
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", default="/tmp")
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    given.program = os.path.abspath(given.program)
    given.plugin = os.path.join(os.path.dirname(given.program), "worker", "test-plugin.so")
    path = f"{given.folder}/sluice-bench-neighbours"
    with open(path, "wb") as file:
        for _ in range(given.megabytes):
            file.write(LINE * ((1 << 20) // len(LINE)))
    chosen = {name: one for name, one in NEIGHBOURS.items() if one is None or given.only in name}
    runs = {name: [] for name in chosen}
    try:
        for _ in range(given.repeats):  # One after the other, so that all have the same weather.
            for name, neighbours in chosen.items():
                runs[name].append(once(given, neighbours, path))
    finally:
        os.unlink(path)
    show(runs)


if __name__ == "__main__":
    main()
