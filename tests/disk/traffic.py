"""What clients do to a broker, with what they were told and when; and what must be true afterwards.

Each partition has one writer, whose records are numbered: of the topic's n-th life the i-th record has
the value "n:i:…". An idempotent writer's log is then 0, 1, 2 … at offsets 0, 1, 2 …, and must reach as
far as it was told. Times are CLOCK_MONOTONIC, as in the journal of the disk.
"""
import random as random_module
import threading
import time

from wire import Client, batch

ERROR_UNKNOWN_TOPIC = 3


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def value_of(life, number):
    size = (number * 7919 + life * 104729) % 1500
    return (f"{life}:{number}:".encode() + b"%08x" % (number * 2654435761 % 2 ** 32) * 200)[:size + 24]


def number_of(value):
    """(life, number) of a value that a writer made."""
    life, number = (int(each) for each in value.split(b":", 2)[:2])
    if value != value_of(life, number):
        raise AssertionError(f"a value that nobody sent: {value[:80]!r}")
    return life, number


def runs(numbers):
    """Ascending numbers as "0 to 9, 12 to 14"."""
    ends = [i for i in range(len(numbers)) if i == 0 or numbers[i] != numbers[i - 1] + 1]
    return ", ".join(f"{numbers[a]} to {numbers[b - 1]}"
                     for a, b in zip(ends, ends[1:] + [len(numbers)])) or "none"


class Writer:
    """Writes one partition, several batches at a time, and remembers what was acknowledged."""

    def __init__(self, topic, partition, seed, idempotent=True, acks=-1, life=0, trimmed=False):
        self.topic, self.partition, self.acks, self.life = topic, partition, acks, life
        self.trimmed = trimmed  # Its first records may be deleted.
        self.random = random_module.Random(seed)
        self.idempotent, self.producer = idempotent, (-1, -1)
        self.sent = []  # Batches as (first number, count, codec).
        self.acked = []  # Times by batch.
        self.offsets = []  # By batch: where the broker said that it is.
        self.next = 0
        self.client = None

    def open(self, address):
        self.client = Client(address)
        if self.idempotent and self.producer[0] < 0:
            error, *self.producer = self.client.init_producer_id()
            if error != 0:
                raise AssertionError(f"no producer id: {error}")

    def records(self, index):
        first, count, codec = self.sent[index]
        values = [value_of(self.life, first + i) for i in range(count)]
        return batch(values, *self.producer, first if self.idempotent else -1, codec)

    def send(self, index):
        self.client.send_produce(self.topic, self.partition, self.records(index), self.acks)

    def run(self, address, batches, in_flight=5, bytes_per_batch_max=8):
        """Writes `batches` more; raises what the connection raises, and may be called again."""
        self.open(address)
        wanted = len(self.acked) + batches
        for index in range(len(self.acked), len(self.sent)):  # Of before the crash.
            self.send(index)
        while len(self.acked) < wanted:
            while len(self.sent) < wanted and len(self.sent) - len(self.acked) < in_flight:
                count = self.random.randrange(1, bytes_per_batch_max)
                self.sent.append((self.next, count, self.random.choice((0, 0, 1))))
                self.next += count
                self.send(len(self.sent) - 1)
            error, offset = self.client.receive_produce()
            if error != 0:
                raise AssertionError(f"'{self.topic}-{self.partition}' batch {len(self.acked)}: {error}")
            self.offsets.append(offset)
            self.acked.append(now())
        self.client.close()

    # ---- What must be true ----

    def acked_before(self, when):
        """How many batches."""
        return sum(each < when for each in self.acked)

    def check(self, client, when):
        """All that was acknowledged before `when` is there, in order, once."""
        where = f"'{self.topic}-{self.partition}'"
        found = client.read(self.topic, self.partition)
        offsets = [offset for offset, _, _ in found]
        start = client.offset(self.topic, self.partition, -2)
        if offsets != list(range(start, start + len(offsets))) or (start > 0 and not self.trimmed):
            raise AssertionError(f"{where}: its offsets from {start} on are {runs(offsets)}")
        numbers = [number_of(value) for _, value, _ in found]
        if any(life != self.life for life, _ in numbers):
            raise AssertionError(f"{where}: records of another life than {self.life}")
        numbers = [number for _, number in numbers]
        if self.idempotent and numbers != offsets:
            raise AssertionError(f"{where}: not in order, once: {runs(numbers)}")
        if self.acks == -1:
            self.check_acked(where, start, numbers, self.acked_before(when))
        epochs = [epoch for _, _, epoch in found]
        current = client.topics([self.topic])[self.topic][self.partition]
        if epochs and not epochs == sorted(epochs) or max(epochs, default=-1) >= current:
            raise AssertionError(f"{where}: leader epoch {current} after {epochs[-5:]}")
        return start + len(numbers)

    def check_acked(self, where, start, numbers, batches):
        for index in range(batches):
            (first, count, _), offset = self.sent[index], self.offsets[index] - start
            if offset + count <= 0:
                continue  # Deleted.
            first, count, offset = first - min(offset, 0), count + min(offset, 0), max(offset, 0)
            if numbers[offset:offset + count] != list(range(first, first + count)):
                raise AssertionError(
                    f"{where}: records {first} to {first + count - 1} were acknowledged at offset "
                    f"{offset + start}, but the log has {numbers[offset:offset + count]} there and "
                    f"ends at {start + len(numbers)}")

    def check_goes_on(self, client, end):
        """The idempotent producer repeats its last batch that is there, and writes the next."""
        index = next((i for i, (first, count, _) in enumerate(self.sent) if first + count == end), None)
        if end > 0:
            if index is None:
                raise AssertionError(f"'{self.topic}-{self.partition}' ends within a batch, at {end}")
            got = client.produce(self.topic, self.partition, self.records(index))
            if got != (0, self.sent[index][0]):
                raise AssertionError(f"'{self.topic}-{self.partition}': batch {index} again: {got}")
        new = batch([value_of(self.life, end)], *self.producer, end)
        got = client.produce(self.topic, self.partition, new)
        if got != (0, end):
            raise AssertionError(f"'{self.topic}-{self.partition}': going on at {end}: {got}")


class Committer:
    """Commits higher and higher offsets of a group."""

    def __init__(self, group):
        self.group = group
        self.sent, self.acked = [], []  # Times, by offset.

    def run(self, address, count):
        client = Client(address)
        for _ in range(count):
            self.sent.append(now())
            error = client.commit(self.group, "idempotent", 0, len(self.sent))
            if error != 0:
                raise AssertionError(f"commit of {len(self.sent)}: {error}")
            self.acked += [now()] * (len(self.sent) - len(self.acked))
        client.close()

    def check(self, client, when):
        error, offset = client.committed(self.group, "idempotent", 0)
        low, high = (sum(each < when for each in times) for times in (self.acked, self.sent))
        if error != 0 or not low <= max(offset, 0) <= high:
            raise AssertionError(f"group '{self.group}': {low} was committed, and {offset} is there "
                                 f"(error {error}, {high} was sent)")


class Lives:
    """A topic that is made, written, configured and deleted, again and again."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        self.events = []  # [sent, acked or None, "create" | "delete" | config value]
        self.writers = []

    def change(self, kind, call):
        event = [now(), None, kind]
        self.events.append(event)
        error = call()
        if error != 0:
            raise AssertionError(f"{kind} of '{self.name}': {error}")
        event[1] = now()

    def run(self, address, count):
        client = Client(address)
        for _ in range(count):
            if self.name in client.topics():
                self.change("delete", lambda: client.delete_topic(self.name))
            life = len(self.writers)
            self.writers.append(Writer(self.name, 0, self.seed + life, life=life))
            self.change("create", lambda: client.create_topic(self.name, 1, {"segment.bytes": 9000}))
            self.writers[-1].run(address, 6)
            for value in (life * 10 + 100000, life * 10 + 100001):
                self.change(value, lambda v=value: client.alter_configs(
                    self.name, {"segment.bytes": 9000, "max.message.bytes": v}))
            if life % 3 == 1:
                self.change_start(client, life)
            self.writers[-1].run(address, 6)
        client.close()

    def change_start(self, client, life):
        """Moves the log start, which must not pass on to the topic's next life."""
        error = client.delete_records(self.name, 0, 3)
        if error != 0:
            raise AssertionError(f"delete records of '{self.name}': {error}")
        self.writers[life].trimmed = True

    def check(self, client, when):
        began = [event for event in self.events if event[0] < when]
        if not began:
            return
        sure = [event for event in began if event[1] is not None and event[1] < when]
        open_events = began[len(sure):]
        there = self.name in client.topics()
        last = [event[2] for event in sure if event[2] in ("create", "delete")][-1:] == ["create"]
        unsure = any(event[2] in ("create", "delete") for event in open_events)
        if there != last and not unsure:
            raise AssertionError(f"topic '{self.name}' is {'' if there else 'not '}there")
        if not there or unsure:
            return
        life = sum(event[2] == "create" for event in sure) - 1
        self.check_config(client, sure, open_events)
        self.writers[life].check(client, when)

    def check_config(self, client, sure, open_events):
        create = max(i for i, event in enumerate(sure) if event[2] == "create")
        known = [event[2] for event in sure[create + 1:] if isinstance(event[2], int)]
        allowed = known[-1:] + [event[2] for event in open_events]
        value = int(client.config(self.name, "max.message.bytes"))
        if value not in (allowed if known else allowed + [1048588]):
            raise AssertionError(f"max.message.bytes of '{self.name}' is {value}, not of {allowed}")


class Traffic:
    """All of it at once."""

    def __init__(self, seed):
        self.writers = [Writer("idempotent", 0, seed), Writer("idempotent", 1, seed + 1),
                        Writer("plain", 0, seed + 2, idempotent=False),
                        Writer("relaxed", 0, seed + 3, acks=1),
                        Writer("short", 0, seed + 5, trimmed=True)]
        self.committers = [Committer("one"), Committer("two")]
        self.lives = Lives("phoenix", seed + 4)

    def create(self, address):
        client = Client(address)
        for name, partitions, segment_bytes, retention_bytes in (
                ("idempotent", 2, 20000, -1), ("plain", 1, 40000, -1), ("relaxed", 1, 15000, -1),
                ("short", 1, 12000, 20000)):
            error = client.create_topic(name, partitions, {"segment.bytes": segment_bytes,
                                                           "retention.bytes": retention_bytes})
            if error != 0:
                raise AssertionError(f"create '{name}': {error}")
        client.close()
        self.created = now()

    def run(self, address, batches, commits, lives, meanwhile=lambda: None):
        """Returns what was raised in the threads, while `meanwhile` was called in this one."""
        faults = []

        def call(work, *arguments):
            try:
                work(address, *arguments)
            except (AssertionError, OSError) as fault:
                faults.append(fault)
        threads = [threading.Thread(target=call, args=(each.run, batches)) for each in self.writers]
        threads += [threading.Thread(target=call, args=(each.run, commits)) for each in self.committers]
        if lives > 0:
            threads.append(threading.Thread(target=call, args=(self.lives.run, lives)))
        for thread in threads:
            thread.start()
        meanwhile()
        for thread in threads:
            thread.join()
        return faults

    def check(self, address, when):
        client = Client(address)
        ends = {}
        if self.created < when:
            for writer in self.writers:
                ends[writer] = writer.check(client, when)
        for committer in self.committers:
            committer.check(client, when)
        self.lives.check(client, when)
        for writer, end in ends.items():
            if writer.idempotent and writer.acks == -1:
                writer.check_goes_on(client, end)
        client.close()
