"""A file that grows goes through a topic into another while hosts, worker and broker are killed, also when
both files are rotated meanwhile: each line arrives, whole, and first in its order.

usage: file_kill_test.py SLUICE [WORD…]      SEED=N replays the choices, ROUNDS=N makes it longer
"""
import os
import random
import re
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "..", "examples", "quickstart")]
from system import Sluice
from tap import main, test

PROGRAM = os.path.abspath(sys.argv[1])
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
LIMIT_SECONDS = 180
TEXT = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "restart.backoff.initial.ms": "50", "restart.backoff.max.ms": "1000",
        "restart.max.attempts": "1000"}
VICTIMS = ("sluice:in", "sluice:out", "sluice broker", "sluice standalone")
LINE = re.compile("line ([0-9]+) (\u00e9*)")


class Copy:
    """The whole system, with a source that follows a file and a sink that writes another."""

    def __init__(self):
        self.random = random.Random(SEED)
        print(f"# seed {SEED}", flush=True)
        self.count = self.rotations = 0
        self.sluice = Sluice(PROGRAM).__enter__()
        self.source, self.sink = (f"{self.sluice.folder}/{name}" for name in ("source", "sink"))
        self.sinks = [self.sink]  # Those that were moved away first.
        for path in (self.source, self.sink):
            open(path, "w", encoding="utf-8").close()
        for name, config in {
                "in": {"connector.class": "FileStreamSource", "file": self.source, "topic": "lines"},
                "out": {"connector.class": "FileStreamSink", "file": self.sink, "topics": "lines",
                        "consumer.override.session.timeout.ms": "6000"},  # The broker's least.
        }.items():
            self.sluice.call("POST", "/connectors", {"name": name, "config": {**config, **TEXT}})

    def lines(self, count):
        """So many lines more, of all kinds."""
        texts = []
        for _ in range(count):
            texts.append(f"line {self.count} " + "\u00e9" * self.random.randrange(60))
            self.count += 1
        return "".join(text + self.random.choice(["\n", "\r\n"]) for text in texts).encode()

    def append(self, lines):
        """So many lines more, the last one in two writes."""
        raw = self.lines(lines)
        cut = len(raw) - self.random.randrange(1, 8)
        with open(self.source, "ab", buffering=0) as file:
            file.write(raw[:cut])
            yield
            file.write(raw[cut:])

    def shift(self):
        for number in range(self.rotations, 0, -1):
            os.rename(f"{self.source}.{number}", f"{self.source}.{number + 1}")
        self.rotations += 1

    def rotate_by_name(self):
        """As logrotate does: the writer goes on in the old file until it is told."""
        with open(self.source, "ab", buffering=0) as file:
            self.shift()
            os.rename(self.source, f"{self.source}.1")
            file.write(self.lines(self.random.randrange(50)))
            open(self.source, "xb").close()
            file.write(self.lines(self.random.randrange(50)))

    def rotate_by_copy(self):
        self.shift()
        shutil.copyfile(self.source, f"{self.source}.1")
        os.truncate(self.source, 0)

    def move_sink(self):
        try:
            os.rename(self.sink, f"{self.sink}.{len(self.sinks)}")
        except FileNotFoundError:  # Moved, and not made anew yet.
            return
        self.sinks.insert(-1, f"{self.sink}.{len(self.sinks)}")

    def wait(self, true, what):
        deadline = time.monotonic() + LIMIT_SECONDS
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"not after {LIMIT_SECONDS} s: {what}\n{self.sluice.log_tail()}")
            time.sleep(0.02)

    def pid(self, title):
        return next((pid for pid, (name, _) in self.sluice.processes().items() if name == title), None)

    def kill(self, title):
        """Kills the process with this title as soon as there is one."""
        self.wait(lambda: self.killed(title), f"a process '{title}'")

    def killed(self, title):
        """Whether there was one; it may be ending just now, with a worker that was killed before."""
        try:
            os.kill(self.pid(title), signal.SIGKILL)
        except (ProcessLookupError, TypeError):
            return False
        return True

    def seen(self):
        """The numbers of the lines of the sink's files, which are all whole. (What a kill left of a line
        stays at the end of a file that is moved away before the sink is there again.)"""
        raw = b""
        for path in self.sinks:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    part = file.read()
                raw += part[:part.rfind(b"\n") + 1]
        numbers = []
        for line in raw.decode().split("\n")[:-1]:
            match = LINE.fullmatch(line)
            if not match:
                raise AssertionError(f"not a whole line: {line!r}")
            numbers.append(int(match.group(1)))
        return numbers

    def check_all_arrived(self):
        self.wait(lambda: len(set(self.seen())) == self.count, f"{self.count} lines in the file")
        first = list(dict.fromkeys(self.seen()))
        if first != sorted(first):
            wrong = next(i for i, number in enumerate(first) if number != i)
            raise AssertionError(f"line {first[wrong]} comes where line {wrong} should be first")


@test
def each_line_arrives_whole_and_in_order_when_processes_are_killed():
    copy = Copy()
    try:
        for _ in range(ROUNDS):
            for _ in copy.append(copy.random.randrange(500, 20000)):
                copy.kill(copy.random.choice(VICTIMS))
            if copy.random.random() < 0.5:
                copy.check_all_arrived()
        copy.check_all_arrived()
        print(f"# {copy.count} lines, {len(copy.seen()) - copy.count} of them again")
    finally:
        copy.sluice.__exit__()


@test
def a_file_that_is_renamed_and_one_that_is_cut_are_followed():
    copy = Copy()
    try:
        for step in ("rename", "cut", "rename"):
            for _ in copy.append(1000):
                pass
            copy.check_all_arrived()
            if step == "rename":
                os.rename(copy.source, f"{copy.source}.{copy.count}")
            else:
                os.truncate(copy.source, 0)
        for _ in copy.append(10):
            pass
        copy.check_all_arrived()
    finally:
        copy.sluice.__exit__()


def rotated_and_killed(rotate):
    """Rotates once to three times while the source's host, or the worker, is killed."""
    copy = Copy()
    try:
        for _ in copy.append(100):
            pass
        copy.check_all_arrived()
        copy.wait(lambda: copy.sluice.call("GET", "/connectors/in/offsets")["offsets"],
                  "a stored position: without one nobody knows where the source was")
        for _ in range(ROUNDS - 2):
            for _ in copy.append(copy.random.randrange(100, 10000)):
                if copy.random.random() < 0.7:
                    copy.kill(copy.random.choice(("sluice:in", "sluice:in", "sluice standalone")))
            for _ in range(copy.random.randrange(1, 4)):
                rotate(copy)
                if copy.random.random() < 0.3:
                    copy.kill("sluice:in")
                for _ in copy.append(copy.random.randrange(1, 500)):
                    pass
            if copy.random.random() < 0.3:
                copy.check_all_arrived()
        copy.check_all_arrived()
        print(f"# {copy.count} lines, {copy.rotations} rotations, {len(copy.seen()) - copy.count} again")
    finally:
        copy.sluice.__exit__()


@test
def each_line_arrives_in_order_when_its_file_is_renamed_and_processes_are_killed():
    rotated_and_killed(Copy.rotate_by_name)


@test
def each_line_arrives_in_order_when_its_file_is_copied_and_cut_and_processes_are_killed():
    rotated_and_killed(Copy.rotate_by_copy)


@test
def each_line_is_in_one_of_the_files_when_a_sink_is_killed_and_its_file_is_moved_away():
    copy = Copy()
    try:
        for _ in range(ROUNDS - 2):
            for _ in copy.append(copy.random.randrange(500, 20000)):
                if copy.random.random() < 0.7:
                    copy.kill("sluice:out")
                copy.move_sink()
        copy.check_all_arrived()
        print(f"# {copy.count} lines in {len(copy.sinks)} files, {len(copy.seen()) - copy.count} of them again")
    finally:
        copy.sluice.__exit__()


main(sys.argv[2:])
