"""Clients of a broker that is killed again and again: each does one thing, on a thread of its own,
and notes it in the history. What it is told in an answer is what it notes; a connection that ends
leaves a doubt.

A value is its name, a dot, and filling that follows from the name: a changed byte shows.
"""
import threading
import time
import traceback
import zlib

import confluent_kafka
from wire_client import EARLIEST, LATEST, OFFSET_OUT_OF_RANGE, PRODUCE, Gone, Refused, Wire, \
    record_batch

UNKNOWN_TOPIC = 3
now = time.monotonic


def value_of(name, filling_max=400):
    raw = name.encode()
    return raw + b"." + (raw * filling_max)[:zlib.crc32(raw) % filling_max]


def name_of(value, filling_max=400):
    name = value.partition(b".")[0].decode(errors="replace")
    return name if value == value_of(name, filling_max) else repr(value[:60])


def named(records):
    return [[offset, name_of(value)] for offset, value in records]


class Stage:
    """What the actors share: the broker's address, the history, and when it is over."""

    def __init__(self, address, history):
        self.address, self.history = address, history
        self.over = threading.Event()
        self.progress = threading.Condition()
        self.acked = 0
        self.faults = []

    def note_acked(self, value, offset):
        self.history.note("acked", value=value, offset=offset)
        with self.progress:
            self.acked += 1
            self.progress.notify_all()

    def wait_acked(self, more, seconds):
        """Whether `more` further values are acknowledged within the time."""
        with self.progress:
            wanted = self.acked + more
            return self.progress.wait_for(lambda: self.acked >= wanted or self.faults, seconds)


class Actor(threading.Thread):
    """run_once(wire) is called again and again, on a new connection after each Gone."""

    def __init__(self, stage, name, choose):
        super().__init__(name=name)
        self.stage, self.history, self.choose = stage, stage.history, choose

    def run(self):
        try:
            self.act()
        except Exception:  # Told by the test; the other actors end.
            self.stage.faults.append(f"{self.name}: {traceback.format_exc()}")
            self.stage.over.set()

    def pause(self, seconds):
        return self.stage.over.wait(seconds)

    def act(self):
        while not self.stage.over.is_set():
            try:
                with Wire(self.stage.address) as wire:
                    self.connected(wire)
                    while not self.stage.over.is_set():
                        self.run_once(wire)
            except Gone:
                self.gone()
                self.pause(0.005)

    def connected(self, wire):
        pass

    def gone(self):
        pass

    def note_send(self, value, partition, once=True):
        self.history.note("send", value=value, producer=self.name, partition=partition, t0=now(),
                          once=once)


# ---- Producers --------------------------------------------------------------------------------


class LibrdkafkaProducer(Actor):
    """A producer as most programs have it. Its batches fit into a segment: one that is refused for
    good makes librdkafka take a new epoch and send again what is in doubt on other partitions."""

    def __init__(self, stage, name, choose, topic, partitions, settings):
        super().__init__(stage, name, choose)
        self.topic, self.partitions, self.settings = topic, partitions, settings
        self.once = settings.get("enable.idempotence", False)
        self.count = self.pending = 0

    def on_delivery(self, error, message):
        self.pending -= 1
        if error is None:
            offset = message.offset()
            self.stage.note_acked(name_of(message.value()), offset if offset >= 0 else None)

    def act(self):
        producer = confluent_kafka.Producer({
            "bootstrap.servers": self.stage.address, "linger.ms": 1, "message.timeout.ms": 60000,
            "retry.backoff.ms": 10, "reconnect.backoff.ms": 5, "reconnect.backoff.max.ms": 50,
            "log_level": 0, "batch.size": 20000, **self.settings})
        while not self.stage.over.is_set():
            for _ in range(self.choose.randint(1, 60) if self.pending < 500 else 0):
                name = f"{self.name}/{self.count}"
                partition = self.choose.randrange(self.partitions)
                self.note_send(name, f"{self.topic}-{partition}", self.once)
                producer.produce(self.topic, value_of(name), partition=partition,
                                 on_delivery=self.on_delivery)
                self.count += 1
                self.pending += 1
            producer.poll(self.choose.choice((0, 0.01, 0.05)))
        producer.flush(30)
        producer.purge()
        producer.flush(5)


class ExactProducer(Actor):
    """An idempotent producer with several requests in flight, which sends again whatever was not
    answered, with the same sequence numbers, until it is told where it is."""

    def __init__(self, stage, name, choose, topic):
        super().__init__(stage, name, choose)
        self.topic = topic
        self.count = 0
        self.identity = None
        self.unanswered = []  # (sequence, names)
        self.asked = []       # Correlations of this connection, in order.

    def batch(self, sequence, names):
        return record_batch([value_of(name) for name in names], *self.identity, sequence)

    def send(self, wire, one):
        self.asked.append(wire.send(PRODUCE, 7, wire.produce_body(self.topic, 0, self.batch(*one),
                                                                  -1)))

    def connected(self, wire):
        self.identity = self.identity or wire.init_producer_id()
        self.asked = []
        for one in self.unanswered:
            self.send(wire, one)

    def run_once(self, wire):
        while len(self.unanswered) < self.choose.randint(1, 5):
            names = [f"{self.name}/{self.count + i}" for i in range(self.choose.randint(1, 6))]
            for name in names:
                self.note_send(name, f"{self.topic}-0")
            one = (self.count, names)
            self.count += len(names)
            self.unanswered.append(one)
            self.send(wire, one)
        offset = wire.read_produce(wire.receive(self.asked.pop(0)))
        for i, name in enumerate(self.unanswered.pop(0)[1]):
            self.stage.note_acked(name, offset + i)


class PlainProducer(Actor):
    """acks 0 or 1, or all without a second try: what is in doubt stays so."""

    def __init__(self, stage, name, choose, topic, acks):
        super().__init__(stage, name, choose)
        self.topic, self.acks, self.count = topic, acks, 0

    def run_once(self, wire):
        names = [f"{self.name}/{self.count + i}" for i in range(self.choose.randint(1, 8))]
        self.count += len(names)
        for name in names:
            self.note_send(name, f"{self.topic}-0")
        offset = wire.produce(self.topic, 0, record_batch([value_of(name) for name in names]),
                              self.acks)
        for i, name in enumerate(names if offset is not None else []):
            self.stage.note_acked(name, offset + i)
        self.pause(self.choose.choice((0, 0.002, 0.02)))


# ---- Readers ----------------------------------------------------------------------------------


class TailReader(Actor):
    """Reads partitions from their beginning on, with a long poll now and then."""

    def __init__(self, stage, name, choose, partitions):
        super().__init__(stage, name, choose)
        self.next = {partition: 0 for partition in partitions}

    def run_once(self, wire):
        topic, number = partition = self.choose.choice(list(self.next))
        asked, t0 = self.next[partition], now()
        answer = wire.fetch(topic, number, asked, max_bytes=self.choose.choice((2000, 1 << 20)),
                            wait_ms=self.choose.choice((0, 20)))
        if answer.code == OFFSET_OUT_OF_RANGE:
            self.next[partition] = wire.offset_at(topic, number, EARLIEST)
            if self.next[partition] < asked:
                raise AssertionError(f"{topic}-{number}: {asked} was there and is out of range")
            return
        if answer.code != 0:
            raise AssertionError(f"fetch of {topic}-{number}: error {answer.code}")
        records = named(answer.records(asked))
        self.history.note("read", reader=self.name, group=None, partition=f"{topic}-{number}",
                          asked=asked, records=records, high=answer.high, low=answer.low, t0=t0,
                          t1=now())
        if records:
            self.next[partition] = records[-1][0] + 1
        self.pause(self.choose.choice((0, 0.01)))


class GroupMember(Actor):
    """A consumer in a group: reads, commits, leaves without a word or with one, comes back."""

    def __init__(self, stage, name, choose, group, topic):
        super().__init__(stage, name, choose)
        self.group, self.topic, self.next, self.lives = group, topic, {}, 0

    def on_assign(self, consumer, partitions):
        t0 = now()
        try:
            for one in consumer.committed(partitions, timeout=10):
                if one.error is None:
                    self.history.note("committed", group=self.group,
                                      partition=f"{one.topic}-{one.partition}",
                                      offset=max(one.offset, -1), t0=t0, t1=now())
        except confluent_kafka.KafkaException:
            pass  # The broker is gone for now: nothing was told.
        self.next = {}

    def note_read(self, messages, t0):
        by_partition = {}
        for message in messages:
            by_partition.setdefault(message.partition(), []).append(
                [message.offset(), name_of(message.value())])
        for number, records in by_partition.items():
            self.history.note("read", reader=f"{self.name}.{self.lives}", group=self.group,
                              partition=f"{self.topic}-{number}", asked=self.next.get(number),
                              records=records, high=None, low=None, t0=t0, t1=now())
            self.next[number] = records[-1][0] + 1

    def commit(self, consumer):
        offsets = dict(self.next)
        t0, t1 = now(), None
        try:
            consumer.commit(offsets=[confluent_kafka.TopicPartition(self.topic, number, offset)
                                     for number, offset in offsets.items()], asynchronous=False)
            t1 = now()
        except confluent_kafka.KafkaException:
            pass  # In doubt.
        for number, offset in offsets.items():
            self.history.note("commit", group=self.group, partition=f"{self.topic}-{number}",
                              offset=offset, t0=t0, t1=t1)

    def live(self, consumer):
        for _ in range(self.choose.randint(20, 300)):
            if self.stage.over.is_set():
                return
            t0 = now()
            messages = [message for message in consumer.consume(200, 0.05)
                        if message.error() is None]
            if messages:
                self.note_read(messages, t0)
                if self.choose.random() < 0.3:
                    self.commit(consumer)

    def act(self):
        while not self.stage.over.is_set():
            self.lives += 1
            consumer = confluent_kafka.Consumer({
                "bootstrap.servers": self.stage.address, "group.id": self.group,
                "auto.offset.reset": "earliest", "enable.auto.commit": False,
                "session.timeout.ms": 6000, "heartbeat.interval.ms": 300, "log_level": 0,
                "reconnect.backoff.ms": 5, "reconnect.backoff.max.ms": 50,
                "fetch.wait.max.ms": 50})
            consumer.subscribe([self.topic], on_assign=self.on_assign)
            self.live(consumer)
            consumer.close()


class Committer(Actor):
    """Offsets of a group without members: written, and read back."""

    def __init__(self, stage, name, choose, group, topic):
        super().__init__(stage, name, choose)
        self.group, self.topic, self.offset, self.begun = group, topic, 0, None

    def note_commit(self, t1):
        self.history.note("commit", group=self.group, partition=f"{self.topic}-0",
                          offset=self.offset, t0=self.begun, t1=t1)
        self.begun = None

    def gone(self):
        if self.begun is not None:
            self.note_commit(None)

    def run_once(self, wire):
        if self.choose.random() < 0.6:
            self.offset += 1
            self.begun = now()
            wire.commit(self.group, self.topic, 0, self.offset)
            self.note_commit(now())
        else:
            t0 = now()
            offset = wire.committed(self.group, self.topic, 0)
            self.history.note("committed", group=self.group, partition=f"{self.topic}-0",
                              offset=offset, t0=t0, t1=now())
        self.pause(self.choose.choice((0, 0.005)))


# ---- Topics -----------------------------------------------------------------------------------


class Administrator(Actor):
    """Makes and deletes topics, and deletes records of one that stays."""

    def __init__(self, stage, name, choose, cut):
        super().__init__(stage, name, choose)
        self.cut, self.count, self.low, self.doubt = cut, 0, 0, None
        self.there, self.not_there = set(), set()

    def gone(self):
        if self.doubt is not None:
            self.there.discard(self.doubt)
            self.not_there.discard(self.doubt)
            self.doubt = None

    def connected(self, wire):
        self.check(wire)

    def check(self, wire):
        found = wire.topics()
        if not self.there <= found or self.not_there & found:
            raise AssertionError(f"missing: {self.there - found}, "
                                 f"deleted and back: {self.not_there & found}")

    def create(self, wire):
        if self.not_there and self.choose.random() < 0.5:  # A name that was there before.
            name = self.doubt = self.choose.choice(sorted(self.not_there))
            self.not_there.discard(name)
        else:
            self.count += 1
            name = self.doubt = f"{self.name}-{self.count}"
        wire.create_topic(name, self.choose.randint(1, 3), {"segment.bytes": "20000"})
        self.there.add(name)
        self.doubt = None
        first = wire.produce(name, 0, record_batch([b"something"] * self.choose.randint(1, 50)), 1)
        if first != 0:
            raise AssertionError(f"the new topic {name} begins at {first}")
        wire.delete_records(name, 0, -1)

    def delete(self, wire):
        name = self.doubt = self.choose.choice(sorted(self.there))
        wire.delete_topic(name)
        self.there.discard(name)
        self.not_there.add(name)
        self.doubt = None

    def delete_records(self, wire):
        high = wire.offset_at(self.cut, 0, LATEST)
        t0 = now()
        self.low = wire.delete_records(self.cut, 0, self.choose.randint(min(self.low, high), high))
        self.history.note("trimmed", partition=f"{self.cut}-0", low=self.low, t0=t0, t1=now())

    def run_once(self, wire):
        choice = self.choose.random()
        try:
            if choice < 0.3 and len(self.there) < 20:
                self.create(wire)
            elif choice < 0.6 and self.there:
                self.delete(wire)
            elif choice < 0.9:
                self.delete_records(wire)
            else:
                self.check(wire)
        except Refused as refused:
            if refused.code != OFFSET_OUT_OF_RANGE:  # Retention was faster.
                raise
        self.pause(self.choose.choice((0, 0.01, 0.05)))


def note_final(wire, history, topic, number):
    """Reads a whole partition into the history."""
    low, high = wire.offset_at(topic, number, EARLIEST), wire.offset_at(topic, number, LATEST)
    records, at = [], low
    while at < high:
        answer = wire.fetch(topic, number, at, max_bytes=4 << 20)
        some = named(answer.records(at))
        if answer.code != 0 or not some:
            break  # The hole is told.
        records += some
        at = some[-1][0] + 1
    history.note("final", partition=f"{topic}-{number}", low=low, high=high, records=records)
