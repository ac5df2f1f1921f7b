"""A hundred connectors of mixed health on one worker, while hosts and the worker are killed at random.

Sources copy files into topics and sinks copy them out again; beside them plugins crash, spin, block, leak, print and
leave, and sinks knock at a port where nobody listens. The healthy ones must lose nothing: a sink's file has all lines of
its source's, in order, repeats apart. REST must answer all the while; how fast is printed. Prints its seed.

usage: hundred_connectors_test.py PROGRAM TEST_PLUGIN      SEED=N replays the plan of kills
       SECONDS=300 for that long, CONNECTORS=100 for so many
"""
import os
import random
import signal
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import main, test  # noqa: E402

PROGRAM, PLUGIN = sys.argv[1], os.path.abspath(sys.argv[2])
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
SECONDS = float(os.environ.get("SECONDS", "6"))
CONNECTORS = int(os.environ.get("CONNECTORS", "30"))
PATIENCE = 240
WRONG = ("crash", "abort", "exit", "_exit", "spin", "block", "leak", "print", "close", "write", "child-crash", "descriptors")


class Healthy:
    """A file that grows, its source, a topic, a sink, and the file that it fills."""

    def __init__(self, folder, number):
        self.name, self.lines = f"healthy-{number}", 0
        self.path, self.out = f"{folder}/in-{number}", f"{folder}/out-{number}"
        self.append(10)

    def append(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(count):
                file.write(f"{self.name} {self.lines}\n")
                self.lines += 1

    def configs(self):
        # A killed member of a group is waited for, so long.
        soon = {"consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "1000"}
        yield f"{self.name}-source", {"connector.class": "FileStreamSource", "file": self.path, "topic": self.name}
        yield f"{self.name}-sink", {"connector.class": "FileStreamSink", "file": self.out, "topics": self.name, **soon}

    def numbers(self):
        try:
            with open(self.out, encoding="utf-8") as file:
                lines = file.read().split("\n")[:-1]
        except FileNotFoundError:
            return []
        for line in lines:
            if not line.startswith(f"{self.name} "):
                raise AssertionError(f"{self.out} has a line {line!r}")
        return [int(line.split()[1]) for line in lines]

    def is_complete(self):
        return self.lines - 1 in self.numbers()

    def check(self):
        """A line that was not there before is the one behind the last new one."""
        wanted = 0
        for number in self.numbers():
            if number > wanted:
                raise AssertionError(f"{self.out} jumps from {wanted - 1} to {number}")
            wanted += number == wanted
        if wanted != self.lines:
            raise AssertionError(f"{self.out} has {wanted} of {self.lines} lines")


def dead_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def sick(number):
    """Connectors that are no good, each in its way."""
    how = WRONG[number % len(WRONG)]
    quick = {"restart.backoff.initial.ms": "200", "restart.backoff.max.ms": "2000", "restart.max.attempts": "1000000",
             "host.call.timeout.ms": "1500", "host.memory.max.bytes": str(96 << 20), "host.open.files.max": "256"}
    if number % 5 == 4:
        return {"connector.class": "HttpSink", "topics": "healthy-0", "http.url": f"http://127.0.0.1:{dead_port()}/",
                "http.authorization.type": "none", **quick}
    return {"connector.class": "TestSource", "test.topic": f"sick-{number}", "test.misbehave": how,
            "test.misbehave.at": random.Random(number).choice(("poll", "poll", "create", "committed")), **quick}


class Asker:
    """Asks REST all the time, and remembers how long each answer took."""

    def __init__(self, worker):
        self.worker, self.seconds, self.faults = worker, [], []
        self.stopping, self.resting, self.deaths = threading.Event(), threading.Event(), 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        paths = ("/", "/connectors", "/connectors?expand=status", "/connectors/healthy-0-sink/status",
                 "/connectors/healthy-0-source", "/health", "/metrics")
        number = 0
        while not self.stopping.is_set():
            number += 1
            began, down, deaths = time.monotonic(), self.resting.is_set(), self.deaths
            try:
                status, _, _ = self.worker.request("GET", paths[number % len(paths)])
            except OSError as fault:
                status = fault
            if not down and deaths == self.deaths:  # The worker was there all the time.
                self.seconds.append((time.monotonic() - began, paths[number % len(paths)]))
                if status != 200:
                    self.faults.append((paths[number % len(paths)], status))
            self.stopping.wait(0.02)

    def stop(self):
        self.stopping.set()
        self.thread.join()


class Bench:
    def __init__(self):
        print(f"# seed {SEED}", flush=True)
        self.random = random.Random(SEED)
        self.broker = RunningBroker(PROGRAM)
        text = "org.apache.kafka.connect.storage.StringConverter"
        self.worker = RunningWorker([PROGRAM, "standalone"], {
            "bootstrap.servers": self.broker.address, "plugin.path": PLUGIN, "offset.flush.interval.ms": "500",
            "key.converter": text, "value.converter": text, "restart.backoff.initial.ms": "100",
            "restart.max.attempts": "1000000", "config.storage.file.filename": f"{self.broker.folder}/configs"})
        self.sanitized = "libasan" in self.maps()
        self.healthy = [Healthy(self.worker.folder, i) for i in range(CONNECTORS // 4)]

    def maps(self):
        with open(f"/proc/{self.worker.process.pid}/maps", encoding="utf-8") as maps:
            return maps.read()

    def create_all(self):
        for one in self.healthy:
            for name, config in one.configs():
                self.create(name, config)
        for number in range(CONNECTORS - 2 * len(self.healthy)):
            config = sick(number)
            if self.sanitized and config.get("test.misbehave") == "leak":
                config["test.misbehave"] = "crash"  # A sanitizer's memory has no limit.
            self.create(f"sick-{number}", config)

    def create(self, name, config):
        status, body = self.worker.call("POST", "/connectors", {"name": name, "config": config})
        if status not in (201, 500):  # A sick one may be dead before it is answered.
            raise AssertionError(f"{name}: {status} {body}")

    def kill_a_host(self):
        hosts = [pid for pid, title in self.worker.children().items()
                 if title.startswith("sluice:") and title != "sluice:nursery"]
        try:
            os.kill(self.random.choice(hosts), signal.SIGKILL)
        except (ProcessLookupError, IndexError):
            pass

    def kill_the_worker(self, asker):
        asker.resting.set()
        asker.deaths += 1
        self.worker.stop(signal.SIGKILL)
        self.worker.start()
        until(lambda: self.worker.call("GET", "/health")[0] == 200, self.worker.log)
        until(lambda: len(self.worker.call("GET", "/connectors")[1]) == CONNECTORS, self.worker.log)
        asker.resting.clear()

    def end(self, failed):
        kind = AssertionError if failed else None
        try:
            self.worker.__exit__(kind, None, None)
        finally:
            self.broker.__exit__(kind, None, None)


def storm(bench, asker):
    """The worker dies twice, a host every third of a second."""
    end = time.monotonic() + SECONDS
    deaths = sorted(bench.random.uniform(0.2, 0.9) * SECONDS for _ in range(2))
    while time.monotonic() < end:
        for one in bench.healthy:
            one.append(bench.random.randrange(20))
        if deaths and time.monotonic() > end - SECONDS + deaths[0]:
            deaths.pop(0)
            bench.kill_the_worker(asker)
        else:
            bench.kill_a_host()
        asker.stopping.wait(bench.random.uniform(0.1, 0.5))


def tell(asker):
    for path in sorted({path for _, path in asker.seconds}) + [""]:
        ms = sorted(seconds * 1000 for seconds, asked in asker.seconds if path in ("", asked))
        print(f"# {path or 'all':<35} {len(ms):5} answers, half within {ms[len(ms) // 2]:.1f} ms, 99 of 100 within "
              f"{ms[len(ms) * 99 // 100]:.1f}, all within {ms[-1]:.1f}", flush=True)


@test
def the_healthy_ones_lose_nothing_and_rest_answers():
    bench, asker, failed = Bench(), None, True
    try:
        bench.create_all()
        asker = Asker(bench.worker)
        storm(bench, asker)
        for one in bench.healthy:
            until(one.is_complete, lambda: f"{one.name} is not complete: "
                  f"{bench.worker.state(one.name + '-source')}, {bench.worker.state(one.name + '-sink')}", PATIENCE)
            one.check()
        asker.stop()
        if asker.faults:
            raise AssertionError(f"REST: {asker.faults[:5]}")
        tell(asker)
        failed = False
    finally:
        if asker:
            asker.stop()
        bench.end(failed)


main(sys.argv[3:])
