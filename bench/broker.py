"""What the broker reaches: produce, fetch, latency, start and memory, each beside the floor of the same run
and, where it is installed, beside Apache Kafka.

usage: bench/broker.py [--case NAME]... [--repeats N] [--quick] [--kafka DIR] [--build build] [--data DIR]

Needs `ninja -C build`, a file system with 15 GB to spare below --data, and for the lines of librdkafka the
library that Sluice is built with anyhow. --kafka names the folder that has Apache Kafka's jars (of a
distribution: the folder, or its libs/); without it those columns are left out. One machine, and clients
share its cores: compare the columns of one run. All subjects are started once, each is warmed up by a run
that is not counted, and repeats go around them, so that whatever disturbs the machine disturbs all. Before
each run of many bytes as much memory is touched and freed (touch_memory() says why). The floor is bench-load's: it receives the same frames, computes the CRC, writes into a file (with fdatasync
where the line says synced), and answers: no broker can be faster by more than noise.

Columns: median (least to most) of the repeats; CPU is user and system time of the broker.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from brokers import Floor, Kafka, Sluice

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = {"record_bytes": 100, "records": 1}

# name: (what it is, command of bench-load, its options, which floor, options of the topic)
CASES = {
    "produce-1k": ("1 KB records, batches of 64 KB, acks=1", "produce",
                   {"records": 64, "connections": 2, "window": 4, "megabytes": 1500}, "plain", {}),
    "produce-100": ("100 B records, batches of 64 KB, acks=1", "produce",
                    {"record_bytes": 100, "records": 590, "connections": 2, "window": 4,
                     "megabytes": 1500}, "plain", {}),
    "synced-1m": ("1 KB records, batches of 1 MB, acks=all, on disk", "produce",
                  {"records": 1000, "window": 5, "acks": -1, "megabytes": 1000}, "synced",
                  {"flush_messages": "1"}),
    "synced-1": ("1 record of 100 B a request, 64 connections, acks=all, on disk", "produce",
                 {**SMALL, "connections": 64, "window": 1, "acks": -1, "seconds": 4}, "synced",
                 {"flush_messages": "1"}),
    "requests": ("1 record of 100 B a request, 64 connections, acks=1", "produce",
                 {**SMALL, "connections": 64, "window": 1, "seconds": 4}, "plain", {}),
    "pipelined": ("the same, 5 requests in flight on each", "produce",
                  {**SMALL, "connections": 64, "window": 5, "seconds": 4}, "plain", {}),
    "fetch": ("from the page cache, 1 MB a fetch, 1 connection", "fetch",
              {"wait_ms": 0, "megabytes": 5000}, None, {}),
    "latency": ("1,000 records/s of 100 B, open loop, acks=1", "rate",
                {**SMALL, "rate": 1000, "seconds": 8}, None, {}),
    "latency-all": ("the same, acks=all (Sluice: on disk; Kafka: in memory)", "rate",
                    {**SMALL, "rate": 1000, "seconds": 8, "acks": -1}, None, {}),
    "latency-synced": ("the same, acks=all, on disk in both", "rate",
                       {**SMALL, "rate": 1000, "seconds": 8, "acks": -1}, None, {"flush_messages": "1"}),
    "consumers": ("1,000 idle consumers, long polls of 5 s", "park",
                  {"connections": 1000, "wait_ms": 5000, "seconds": 10}, None, {}),
}
PROCESS_CASES = ("start", "idle", "recovery")


def load(program, command, subject, topic, options):
    words = [program, command, f"port={subject.port}", f"pid={subject.pid}", f"topic={topic}"]
    done = subprocess.run(words + [f"{key}={value}" for key, value in options.items()],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{subject.name}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Spread:
    """Values of repeats, printed as median (least to most)."""

    def __init__(self, values):
        self.values = values

    def __str__(self):
        def text(value):
            if value >= 100:
                return f"{value:,.0f}"
            return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.3f}"
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        return f"{text(middle)} ({text(low)} to {text(high)})"


def columns(case, results):
    """The figures of one subject's repeats, by name."""
    def each(what):
        return Spread([what(result) for result in results])
    command = CASES[case][1]
    if command in ("produce", "fetch"):
        figures = {"MB/s": each(lambda r: r["bytes"] / r["seconds"] / 1e6),
                   "requests/s": each(lambda r: r["requests"] / r["seconds"]),
                   "CPU s/GB": each(lambda r: r["cpu"] / r["bytes"] * 1e9),
                   "CPU s/M requests": each(lambda r: r["cpu"] / r["requests"] * 1e6)}
    else:
        figures = {"CPU ms/s": each(lambda r: r["cpu"] / r["seconds"] * 1000)}
    if command != "park":
        figures.update({f"{name} ms": each(lambda r, key=key: r[key]) for name, key in
                        (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"))})
    figures["RSS MB"] = each(lambda r: r["memory"])
    return figures


def print_case(case, results):
    print(f"\n## {case}: {CASES[case][0]}\n")
    rows = {}
    for subject, runs in results.items():
        for run in sorted({result["run"] for result in runs}):
            title = subject if CASES[case][1] != "rate" else f"{subject}, {run}"
            rows[title] = columns(case, [result for result in runs if result["run"] == run])
    names = list(next(iter(rows.values())))
    print("| | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for title, figures in rows.items():
        print(f"| {title} | " + " | ".join(str(figures[name]) for name in names) + " |")
    print_ratios(case, results)
    sys.stdout.flush()


def touch_memory(data, megabytes):
    """Has the host give the memory that the page cache is about to take.

    A virtual machine gives free memory back, and the first touch of it again costs more than all that a
    broker does. Written and deleted just before, it is there for every subject alike.
    """
    with open(f"{data}/touched", "wb", buffering=0) as file:
        block = bytes(1 << 20)
        for _ in range(megabytes * 11 // 10):
            file.write(block)
    os.unlink(f"{data}/touched")


def ratio(results, other, what):
    ours = [what(result) for result in results["sluice"]]
    theirs = [what(result) for result in results[other]]
    return Spread([mine / its for mine, its in zip(ours, theirs) if its > 0] or [0.0])


def print_ratios(case, results):
    """Pair by pair of repeats."""
    for other in ("floor", "kafka"):
        if other not in results:
            continue
        if CASES[case][1] in ("produce", "fetch"):
            rate = ratio(results, other, lambda r: r["requests"] / r["seconds"])
            cost = ratio(results, other, lambda r: r["requests"] / max(r["cpu"], 0.01))
            print(f"\nsluice / {other}: rate {rate}, work per CPU second {cost}", end="")
        elif CASES[case][1] == "rate":
            print(f"\nsluice / {other}: p50 {ratio(results, other, lambda r: r['p50'])}, "
                  f"p99 {ratio(results, other, lambda r: r['p99'])}", end="")
    print()


def run_case(case, program, data, subjects, repeats, scale):
    _, command, options, floor, topic_options = CASES[case]
    options = {key: max(1, int(value * scale)) if key in ("megabytes", "seconds") else value
               for key, value in options.items()}
    chosen = [subject for subject in subjects
              if subject.name != "floor" or (floor is not None and subject.sync == (floor == "synced"))]
    results = {subject.name: [] for subject in chosen}
    for number in range(-1, repeats):  # The first is the warm-up.
        for subject in chosen:
            topic = f"{case}-{number + 1}"
            if subject.name != "floor":
                load(program, "create", subject, topic, topic_options)
            if command == "fetch":
                load(program, "produce", subject, topic, {"records": 64, "megabytes": 500})
            os.sync()
            if "megabytes" in options and command == "produce":
                touch_memory(data, options["megabytes"])
            runs = load(program, command, subject, topic, options)
            if number >= 0:
                results[subject.name] += [{**run, "memory": subject.memory_mb()} for run in runs]
            if subject.name != "floor":
                load(program, "delete", subject, topic, {})
    print_case(case, results)


# ---- Of the process itself -----------------------------------------------------------


def many_partitions(program, folder, load_program):
    """A data folder of 1,000 partitions, closed cleanly."""
    subject = Sluice(folder, program)
    subject.start()
    for number in range(10):
        load(load_program, "create", subject, f"topic-{number}", {"partitions": 100})
        load(load_program, "produce", subject, f"topic-{number}",
             {"partitions": 100, "connections": 100, "megabytes": 1})
    subject.stop()


def start_and_stop(folder, program):
    subject = Sluice(folder, program)
    seconds = subject.start()
    time.sleep(0.2)
    memory = subject.memory_mb()
    subject.stop()
    return seconds * 1000, memory


def run_start(program, load_program, data, repeats):
    many = f"{data}/many"
    many_partitions(program, many, load_program)
    runs = {"empty": [], "1,000 partitions": []}
    for number in range(repeats):
        empty = f"{data}/empty-{number}"
        runs["empty"].append(start_and_stop(empty, program))
        runs["1,000 partitions"].append(start_and_stop(many, program))
        shutil.rmtree(empty)
    shutil.rmtree(many)
    print("\n## start: exec to the first answer, after a clean stop\n\n| | ms | RSS MB |\n|---|---|---|")
    for title, values in runs.items():
        print(f"| {title} | {Spread([one[0] for one in values])} | {Spread([one[1] for one in values])} |")


def run_idle(subjects, seconds):
    print("\n## idle: nobody connected\n\n| | wake-ups/s | CPU ms/s | RSS MB |\n|---|---|---|---|")
    for subject in subjects:
        if subject.name == "floor":
            continue
        before, cpu = subject.wake_ups(), subject.cpu_seconds()
        time.sleep(seconds)
        print(f"| {subject.name} | {(subject.wake_ups() - before) / seconds:.1f} | "
              f"{(subject.cpu_seconds() - cpu) / seconds * 1000:.1f} | {subject.memory_mb():.1f} |")


def run_recovery(program, load_program, data, repeats):
    folder, times, costs = f"{data}/crash", [], []
    subject = Sluice(folder, program)
    subject.start()
    load(load_program, "create", subject, "crash", {})
    load(load_program, "produce", subject, "crash", {"records": 64, "megabytes": 1060, "seconds": 60})
    for _ in range(repeats):
        subject.stop(signal.SIGKILL)
        times.append(subject.start())
        costs.append(subject.cpu_seconds())
        load(load_program, "produce", subject, "crash", {"records": 1, "megabytes": 0})
    subject.stop()
    shutil.rmtree(folder)
    print("\n## recovery: kill -9, then exec to the first answer, an active segment of 1 GB\n\n"
          f"| s | CPU s |\n|---|---|\n| {Spread(times)} | {Spread(costs)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", action="append", choices=[*CASES, *PROCESS_CASES])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a fifth of the work: to try it, not to quote it")
    parser.add_argument("--kafka", help="folder of Apache Kafka, to measure it beside")
    parser.add_argument("--build", default=os.path.join(HERE, "..", "build"))
    parser.add_argument("--data", default="/var/tmp", help="where the logs go: not a tmpfs")
    given = parser.parse_args()
    program, load_program = (os.path.abspath(f"{given.build}/{name}") for name in ("sluice", "bench/bench-load"))
    data = tempfile.mkdtemp(prefix="sluice-bench-", dir=given.data)
    subjects = [Floor(f"{data}/floor", load_program, False), Floor(f"{data}/synced", load_program, True),
                Sluice(f"{data}/sluice", program)]
    why_not = Kafka.why_not(given.kafka)
    if why_not is None:
        subjects.append(Kafka(f"{data}/kafka", os.path.abspath(given.kafka)))
    else:
        print(f"Apache Kafka is left out: {why_not}")
    wanted = given.case or [*CASES, *PROCESS_CASES]
    try:
        for subject in subjects:
            subject.start()
        for case in wanted:
            if case in CASES:
                run_case(case, load_program, data, subjects, given.repeats, 0.2 if given.quick else 1)
        if "idle" in wanted:
            run_idle(subjects, 5)
    finally:
        for subject in subjects:
            subject.stop()
    if "start" in wanted:
        run_start(program, load_program, data, given.repeats)
    if "recovery" in wanted:
        run_recovery(program, load_program, data, given.repeats)
    shutil.rmtree(data)


if __name__ == "__main__":
    main()
