"""Many clients, and hostile ones: whoever sends by bytes, never reads, asks for 2 GB, sends garbage
or half of something, comes two thousand at a time. Others go on being served meanwhile, and the
broker's memory stays below what queued.max.request.bytes says.

usage: storm_test.py SLUICE [WORD…]      SEED=N replays
"""
import contextlib
import os
import random
import resource
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from running_broker import RunningBroker
from tap import Skip, check_equal, main, test
from wire_client import API_VERSIONS, CREATE_TOPICS, FETCH, METADATA, PRODUCE, Gone, Reader, \
    Refused, Wire, frame, record_batch, sized, text

PROGRAM = sys.argv[1]
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
MIB = 1 << 20
QUEUED_MIB = 32
LIMITS = {"num.network.threads": "2", "socket.request.max.bytes": str(8 * MIB),
          "queued.max.request.bytes": str(QUEUED_MIB * MIB)}
JOIN_GROUP = 11

with open(PROGRAM, "rb") as program:
    WORDS = program.read()
SANITIZED = b"__asan_init" in WORDS or b"__tsan_init" in WORDS
os.environ["MALLOC_PERTURB_"] = "0"  # meson's: memory that is filled is memory that is used.
SECONDS_MAX = 300 if SANITIZED else 60


def broker(**settings):
    return RunningBroker(PROGRAM, {key.replace("_", "."): value for key, value in settings.items()})


def await_true(true, what):
    deadline = time.monotonic() + SECONDS_MAX
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not after {SECONDS_MAX} s: {what}")
        time.sleep(0.01)


def need_files(wanted):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Skip(f"only {hard} files may be open here: {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else hard,
                                                hard))


def memory_mib(running, what="VmHWM"):
    """Resident memory, the most that it ever was."""
    with open(f"/proc/{running.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what)) // 1024


def check_memory(running, before_mib, more_mib):
    """At most `more_mib` above what it was; a sanitizer needs several times as much."""
    allowed = more_mib * 4 + 800 if SANITIZED else more_mib
    most = memory_mib(running)
    print(f"# memory: {before_mib} MiB before, {most} at most, {allowed} more are allowed")
    if most > before_mib + allowed:
        raise AssertionError(f"{most} MiB of memory, {before_mib} before: at most {allowed} more")


def many(stack, running, count, **options):
    return [stack.enter_context(Wire(running.address, timeout=SECONDS_MAX, **options))
            for _ in range(count)]


class Honest(threading.Thread):
    """A client that minds its own business, and counts how often it was served."""

    def __init__(self, address):
        super().__init__()
        self.address, self.rounds, self.fault = address, 0, None
        self.over = threading.Event()

    def __enter__(self):
        with Wire(self.address) as wire:
            wire.create_topic("honest", 1)
        self.start()
        self.go_on(3)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        if self.fault:
            raise AssertionError(f"the honest client: {self.fault}")

    def run(self):
        try:
            with Wire(self.address, timeout=SECONDS_MAX) as wire:
                while not self.over.is_set():
                    offset = wire.produce("honest", 0, record_batch([b"x" * 100]), acks=-1)
                    got = wire.fetch("honest", 0, offset).records(offset)
                    check_equal(got[0], (offset, b"x" * 100))
                    self.rounds += 1
        except (Gone, Refused, AssertionError) as fault:
            self.fault = fault

    def go_on(self, rounds):
        wanted = self.rounds + rounds
        await_true(lambda: self.rounds >= wanted or self.fault, f"{rounds} rounds")
        if self.fault:
            raise AssertionError(f"the honest client: {self.fault}")


def api_versions():
    return frame(API_VERSIONS, 0, 1, b"")


# ---- Many -------------------------------------------------------------------------------------


@test
def two_thousand_clients_wait_for_a_record_and_all_get_it():
    need_files(5000)
    with broker() as running, contextlib.ExitStack() as stack:
        with Wire(running.address) as wire:
            wire.create_topic("t", 1)
        before = memory_mib(running)
        clients = many(stack, running, 2000)
        asked = [client.send(FETCH, 5, Wire.fetch_body("t", 0, 0, wait_ms=1000 * SECONDS_MAX))
                 for client in clients]
        with Honest(running.address) as honest:
            honest.go_on(20)
            with Wire(running.address) as wire:
                wire.produce("t", 0, record_batch([b"for all"]))
            for client, correlation in zip(clients, asked):
                answer = client.receive(correlation)
                check_equal(b"for all" in answer.raw, True)
            honest.go_on(20)
        check_memory(running, before, 40)


@test
def a_thousand_partitions_are_written_read_and_recovered():
    with broker(**LIMITS) as running:
        before = memory_mib(running)
        with Wire(running.address) as wire:
            wire.create_topic("t", 1000)
            for number in range(1000):
                wire.produce("t", number, record_batch([b"%d" % number]), acks=1)
        check_memory(running, before, 60)
        running.crash()
        running.start()
        with Wire(running.address) as wire:
            for number in range(1000):
                check_equal(wire.fetch("t", number, 0).records(0), [(0, b"%d" % number)])


@test
def a_storm_of_connections_passes():
    seed = random.Random(SEED)
    print(f"# seed {SEED}")
    with broker() as running, Honest(running.address) as honest:
        for _ in range(3000):
            with Wire(running.address) as wire:
                choice = seed.randrange(4)
                if choice == 1:
                    wire.send_raw(api_versions())
                elif choice == 2:
                    wire.send_raw(api_versions()[:seed.randrange(1, 12)])
                elif choice == 3:  # A reset instead of an end.
                    wire.send_raw(api_versions())
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
        honest.go_on(20)


@test
def beyond_max_connections_a_new_one_is_closed_and_the_others_stay():
    with broker(max_connections="20") as running, contextlib.ExitStack() as stack:
        clients = many(stack, running, 20)
        for client in clients:
            client.ask(API_VERSIONS, 0, b"")
        for _ in range(200):
            with Wire(running.address) as late:
                try:
                    late.ask(API_VERSIONS, 0, b"")
                    raise AssertionError("the 21st is served")
                except Gone:
                    pass
        clients.pop().close()

        def served():
            try:
                with Wire(running.address) as wire:
                    return wire.ask(API_VERSIONS, 0, b"")
            except Gone:
                return None

        await_true(served, "a place for another one")
        for client in clients:
            client.ask(API_VERSIONS, 0, b"")
        told = [line for line in running.log().splitlines() if "max.connections" in line]
        check_equal(0 < len(told) < 20, True)


@test
def silent_connections_are_closed_and_waiting_or_busy_ones_are_not():
    with broker(connections_max_idle_ms="2000") as running, contextlib.ExitStack() as stack:
        with Wire(running.address) as wire:
            wire.create_topic("t", 1)
        silent, half, waiting, busy = many(stack, running, 4)
        half.send_raw(api_versions()[:7])
        asked = waiting.send(FETCH, 5, Wire.fetch_body("t", 0, 0, wait_ms=1000 * SECONDS_MAX))
        for client in (silent, half):
            client.socket.setblocking(False)

        def both_closed():
            busy.ask(API_VERSIONS, 0, b"")
            return all(ended(client) for client in (silent, half))

        await_true(both_closed, "the end of silent connections")
        busy.produce("t", 0, record_batch([b"come"]))
        check_equal(b"come" in waiting.receive(asked).raw, True)


def ended(client):
    try:
        return client.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@test
def without_a_file_left_the_open_connections_go_on_and_new_ones_come_later():
    with broker() as running, contextlib.ExitStack() as stack:
        with Honest(running.address) as honest:
            files = len(os.listdir(f"/proc/{running.process.pid}/fd"))
            resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (files + 30, files + 30))
            crowd = many(stack, running, 100)
            for client in crowd[:20]:
                client.ask(API_VERSIONS, 0, b"")
            honest.go_on(20)
            for client in crowd[:50]:
                client.close()
            for client in crowd[60:70]:
                client.ask(API_VERSIONS, 0, b"")
            for client in crowd:
                client.close()
            with Wire(running.address, timeout=SECONDS_MAX) as wire:
                wire.ask(API_VERSIONS, 0, b"")
        told = [line for line in running.log().splitlines() if "cannot accept" in line]
        check_equal(0 < len(told) < 50, True)


# ---- Hostile ----------------------------------------------------------------------------------


@test
def a_client_that_sends_one_byte_at_a_time_is_answered():
    with broker() as running, Honest(running.address) as honest, Wire(running.address) as wire:
        wire.create_topic("t", 1)
        for number in range(5):
            wire.correlation += 1
            for byte in frame(PRODUCE, 7, wire.correlation, Wire.produce_body(
                    "t", 0, record_batch([b"slow"]), -1)):
                wire.send_raw(bytes([byte]))
            check_equal(Wire.read_produce(wire.receive(wire.correlation)), number)
        honest.go_on(20)


def send_until_full(client, raw, most):
    """Sends without reading until the other side takes no more; returns how much."""
    client.socket.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError, ConnectionError):
        while sent < most:
            sent += client.socket.send(raw[sent % len(raw):])
    return sent


@test
def clients_that_never_read_cost_only_what_is_allowed():
    with broker(**LIMITS) as running, contextlib.ExitStack() as stack:
        with Wire(running.address) as wire:
            wire.create_topic("wide", 1000)
            wire.create_topic("t", 1)
            for _ in range(40):
                wire.produce("t", 0, record_batch([b"y" * 100000]), acks=1)
        with Honest(running.address) as honest:
            before = memory_mib(running)
            metadata = frame(METADATA, 1, 1, struct.pack(">i", -1))
            fetch = frame(FETCH, 5, 1, Wire.fetch_body("t", 0, 0, max_bytes=0x7FFFFFFF))
            crowd = many(stack, running, 200, receive_buffer=4096)
            for number, client in enumerate(crowd):
                send_until_full(client, (metadata if number % 2 else fetch) * 200, MIB)
            honest.go_on(20)
            check_memory(running, before, QUEUED_MIB + 40)


@test
def requests_that_never_end_cost_only_what_is_allowed():
    with broker(**LIMITS) as running, contextlib.ExitStack() as stack, \
            Honest(running.address) as honest:
        before = memory_mib(running)
        crowd = many(stack, running, 400)
        part = struct.pack(">i", 8 * MIB) + b"\0" * (MIB - 4)
        for _ in range(2):
            for client in crowd:
                send_until_full(client, part, MIB)
            part = b"\0" * MIB
        honest.go_on(20)
        check_memory(running, before, QUEUED_MIB + 40)
        # A large request of somebody who goes on sending is not among those that are closed.
        with Wire(running.address) as wire:
            wire.create_topic("large", 1, {"max.message.bytes": str(8 * MIB)})
            offset = wire.produce("large", 0, record_batch([b"z" * 7 * MIB]), acks=-1)
            check_equal(len(wire.fetch("large", 0, offset, max_bytes=8 * MIB).records(0)), 1)
        honest.go_on(20)


@test
def two_gigabytes_are_not_given():
    most = struct.pack(">i", 0x7FFFFFFF)
    with broker(**LIMITS) as running, Honest(running.address) as honest:
        before = memory_mib(running)
        counts = [frame(METADATA, 1, 1, most),
                  frame(FETCH, 5, 1, struct.pack(">iiiib", -1, 0, 1, 0x7FFFFFFF, 0) + most),
                  frame(FETCH, 5, 1, struct.pack(">iiiibi", -1, 0, 1, 0x7FFFFFFF, 0, 1) + text("t")
                        + most),
                  frame(PRODUCE, 7, 1, struct.pack(">hhi", -1, -1, 1000) + most),
                  frame(PRODUCE, 7, 1, struct.pack(">hhii", -1, -1, 1000, 1) + text("honest")
                        + struct.pack(">ii", 1, 0) + most),
                  frame(CREATE_TOPICS, 2, 1, most),
                  frame(JOIN_GROUP, 0, 1, text("g") + struct.pack(">i", 6000) + text("")
                        + text("consumer") + struct.pack(">i", 1) + text("range") + most)]
        for raw in [most, struct.pack(">i", -1), struct.pack(">i", 8 * MIB + 1), *counts]:
            with Wire(running.address) as wire:
                wire.send_raw(raw)
                try:
                    wire.receive_exactly(1)
                    raise AssertionError(f"an answer to {raw[:60]!r}")
                except Gone:
                    pass
        with Wire(running.address) as wire:  # More than there is: what there is, after the wait.
            got = wire.fetch("honest", 0, 0, max_bytes=0x7FFFFFFF, min_bytes=0x7FFFFFFF, wait_ms=50)
            check_equal((got.code, len(got.records(0)) > 0), (0, True))
        honest.go_on(20)
        check_memory(running, before, 40)


def fetch_of(topics, partitions):
    """The same partition of the same topic again and again."""
    partition = struct.pack(">iqqi", 0, 0, -1, 1000)
    return (struct.pack(">iiiibi", -1, 100, 1 << 30, 1 << 30, 0, topics)
            + (text("honest") + struct.pack(">i", partitions) + partition * partitions) * topics)


@test
def very_many_entries_in_a_request_are_answered_or_refused_at_a_known_cost():
    with broker(num_network_threads="2") as running, Honest(running.address) as honest:
        before = memory_mib(running)
        with Wire(running.address, timeout=SECONDS_MAX) as wire:
            wire.ask(FETCH, 5, fetch_of(1, 90000))
            wire.ask(FETCH, 5, fetch_of(40000, 1))
            wire.ask(METADATA, 1, struct.pack(">i", 100000) + text("no") * 100000)
        for key, body in ((FETCH, fetch_of(1, 200000)), (FETCH, fetch_of(150000, 1)),
                          (METADATA, struct.pack(">i", 1000000) + text("no") * 1000000)):
            with Wire(running.address, timeout=SECONDS_MAX) as wire:
                try:
                    wire.ask(key, 5 if key == FETCH else 1, body)
                    raise AssertionError("too many entries are taken")
                except Gone:
                    pass
        honest.go_on(20)
        check_memory(running, before, 250)


@test
def garbage_harms_nobody_else():
    seed = random.Random(SEED)
    print(f"# seed {SEED}")
    with broker() as running, Honest(running.address) as honest:
        good = [api_versions(), frame(METADATA, 1, 1, struct.pack(">i", -1)),
                frame(FETCH, 5, 1, Wire.fetch_body("honest", 0, 0)),
                frame(PRODUCE, 7, 1, Wire.produce_body("honest2", 0, record_batch([b"a"]), 1))]
        for _ in range(600):
            with Wire(running.address) as wire, contextlib.suppress(Gone):
                raw = bytearray(b"".join(seed.choice(good) for _ in range(seed.randint(1, 5))))
                for _ in range(seed.randint(1, 6)):
                    raw[seed.randrange(len(raw))] = seed.randrange(256)
                wire.send_raw(sized(seed.randbytes(seed.randrange(300))) if seed.random() < 0.3
                              else bytes(raw[:seed.randint(1, len(raw))]))
        honest.go_on(20)


main(sys.argv[2:])
