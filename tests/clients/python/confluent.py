"""librdkafka of today through confluent-kafka.

usage: confluent.py ADDRESS [WORD…]
"""
import functools
import sys
import time

from confluent_kafka import (OFFSET_BEGINNING, OFFSET_INVALID, Consumer,
                             ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError,
                             KafkaException, Producer, TopicCollection, TopicPartition,
                             TIMESTAMP_LOG_APPEND_TIME)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   NewPartitions, NewTopic, OffsetSpec, ResourceType)
from playing import ADDRESS, broker, thrown, until
from tap import check_equal, main, test


@functools.cache
def admin():
    """One for all cases: a future's answer does not come when its client is gone."""
    return AdminClient({"bootstrap.servers": ADDRESS})


def create_topic(name, partitions=1, **configs):
    topic = NewTopic(name, partitions, 1, config={key.replace("_", "."): value
                                                  for key, value in configs.items()})
    admin().create_topics([topic])[name].result(60)


class Sender:
    """A producer that notes what it is told of each record."""

    def __init__(self, topic, **settings):
        self.producer = Producer({"bootstrap.servers": ADDRESS,
                                  **{key.replace("_", "."): value
                                     for key, value in settings.items()}})
        self.topic = topic
        self.told = []

    def send(self, value, **fields):
        self.producer.produce(self.topic, value, on_delivery=self.note, **fields)
        self.producer.poll(0)

    def note(self, error, message):
        self.told.append((error.name() if error else None, message.offset()))

    def flush(self):
        check_equal(self.producer.flush(60), 0)
        return self.told


def send(topic, values, partitions=1):
    sender = Sender(topic)
    for number, value in enumerate(values):
        sender.send(value, partition=number % partitions)
    sender.flush()


def numbered(count):
    return [b"v%d" % number for number in range(count)]


def reader(topic, offset=OFFSET_BEGINNING, **settings):
    consumer = Consumer({"bootstrap.servers": ADDRESS, "group.id": "reader",
                         "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         **{key.replace("_", "."): value for key, value in settings.items()}})
    consumer.assign([TopicPartition(topic, 0, offset)])
    return consumer


def read(consumer, count):
    records = []

    def poll():
        message = consumer.poll(0.2)
        if message is not None and message.error():
            raise AssertionError(message.error())
        if message is not None:
            records.append(message)

    until(lambda: len(records) >= count, poll, lambda: records)
    return records


def read_all(topic, count):
    consumer = reader(topic)
    records = read(consumer, count)
    consumer.close()
    return records


def values(records):
    return [record.value() for record in records]


# ---- Records ------------------------------------------------------------------------------


def records_come_back(codec):
    topic = f"records-{codec}"
    create_topic(topic)
    wanted = []
    for acks in ["all", "1", "0"]:
        sender = Sender(topic, acks=acks, compression_type=codec, linger_ms=20)
        for i in range(50):
            headers = [("a", b"%d" % i), ("b", None), ("a", b"")] if i % 3 else None
            one = (b"k%d" % i if i % 5 else None, b"x" * i * 20 if i % 7 else None,
                   1700000000000 + i, headers)
            sender.send(one[1], key=one[0], partition=0, timestamp=one[2],
                        **({"headers": headers} if headers else {}))
            wanted.append(one)
        check_equal({error for error, _ in sender.flush()}, {None})
    records = read_all(topic, 150)
    check_equal([record.offset() for record in records], list(range(150)))
    check_equal([(record.key(), record.value(), record.timestamp()[1], record.headers())
                 for record in records], wanted)


@test
def records_come_back_with_none_and_every_acks():
    records_come_back("none")


@test
def records_come_back_with_gzip_and_every_acks():
    records_come_back("gzip")


@test
def records_come_back_with_snappy_and_every_acks():
    records_come_back("snappy")


@test
def records_come_back_with_lz4_and_every_acks():
    records_come_back("lz4")


@test
def records_come_back_with_zstd_and_every_acks():
    records_come_back("zstd")


@test
def append_time_replaces_the_time_of_a_record():
    create_topic("append", message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    sender = Sender("append")
    sender.send(b"a", timestamp=1000)
    sender.flush()
    after = int(time.time() * 1000)
    (record,) = read_all("append", 1)
    check_equal(record.timestamp()[0], TIMESTAMP_LOG_APPEND_TIME)
    check_equal(before <= record.timestamp()[1] <= after, True)


@test
def an_idempotent_producer_writes_once_over_a_crash():
    create_topic("idempotent")
    sender = Sender("idempotent", enable_idempotence=True, batch_num_messages=20,
                    reconnect_backoff_ms=20, retry_backoff_ms=20)
    for number, value in enumerate(numbered(3000)):
        sender.send(value)
        if number == 1500:
            broker("crash")
    check_equal(sender.flush(), [(None, number) for number in range(3000)])
    check_equal(values(read_all("idempotent", 3000)), numbered(3000))


@test
def a_record_over_the_limit_is_refused():
    create_topic("large", max_message_bytes="2000")
    sender = Sender("large", linger_ms=0)
    sender.send(b"x" * 3000)
    sender.flush()
    sender.send(b"x")
    check_equal([error for error, _ in sender.flush()], ["MSG_SIZE_TOO_LARGE", None])


@test
def a_consumer_starts_anywhere():
    create_topic("anywhere")
    sender = Sender("anywhere", linger_ms=0)
    for number, value in enumerate(numbered(20)):
        sender.send(value, timestamp=1700000000000 + 1000 * number)
        sender.flush()
    partition = TopicPartition("anywhere", 0)
    consumer = reader("anywhere", 15, isolation_level="read_committed")
    check_equal(values(read(consumer, 5)), numbered(20)[15:])
    check_equal(consumer.get_watermark_offsets(partition, 20), (0, 20))

    def offset_at(when):
        return consumer.offsets_for_times([TopicPartition("anywhere", 0, when)], 20)[0].offset

    check_equal([offset_at(1700000007000), offset_at(1700000007001), offset_at(1800000000000)],
                [7, 8, -1])
    consumer.seek(TopicPartition("anywhere", 0, 99))  # Out of range: from the earliest again.
    check_equal(values(read(consumer, 20)), numbered(20))
    consumer.close()
    for spec, offset in [(OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 20),
                         (OffsetSpec.max_timestamp(), 19),
                         (OffsetSpec.for_timestamp(1700000003000), 3)]:
        check_equal(admin().list_offsets({partition: spec})[partition].result(60).offset, offset)


@test
def a_waiting_consumer_gets_what_comes():
    create_topic("waiting")
    consumer = reader("waiting", fetch_wait_max_ms=5000)
    consumer.poll(0.2)
    for value in [b"a", b"b"]:
        send("waiting", [value])
        check_equal(values(read(consumer, 1)), [value])
    consumer.close()


# ---- Admin --------------------------------------------------------------------------------


def refused(future):
    error = thrown(future.result, 60)
    return error.args[0].name()


@test
def topics_are_created_described_grown_and_deleted():
    asked = admin()

    def create(name, *arguments, **named):
        return asked.create_topics([NewTopic(name, *arguments, **named)])[name]

    create("made", 2, 1, config={"retention.ms": "60000"}).result(60)
    check_equal(refused(create("made", 2, 1)), "TOPIC_ALREADY_EXISTS")
    check_equal(refused(create("m", 1, 3)), "INVALID_REPLICATION_FACTOR")
    check_equal(refused(create("m/n", 1, 1)), "TOPIC_EXCEPTION")
    check_equal(refused(create("m", 1, 1, config={"retention.ms": "soon"})), "INVALID_CONFIG")
    asked.create_partitions([NewPartitions("made", 4)])["made"].result(60)
    check_equal(refused(asked.create_partitions([NewPartitions("made", 3)])["made"]),
                "INVALID_PARTITIONS")
    described = asked.describe_topics(TopicCollection(["made"]))["made"].result(60)
    check_equal([one.id for one in described.partitions], [0, 1, 2, 3])
    check_equal("made" in asked.list_topics(timeout=20).topics, True)
    asked.delete_topics(["made"])["made"].result(60)
    check_equal(refused(asked.delete_topics(["made"])["made"]), "UNKNOWN_TOPIC_OR_PART")
    cluster = asked.describe_cluster().result(60)
    check_equal([f"{node.host}:{node.port}" for node in cluster.nodes], [ADDRESS])
    check_equal(len(cluster.cluster_id), 22)


@test
def configs_are_described_and_altered():
    create_topic("configured", retention_ms="60000")
    asked = admin()

    def resource(**entries):
        made = ConfigResource(ResourceType.TOPIC, "configured")
        for key, (how, value) in entries.items():
            made.add_incremental_config(
                ConfigEntry(key.replace("_", "."), value, incremental_operation=how))
        return made

    def alter(**entries):
        (future,) = asked.incremental_alter_configs([resource(**entries)]).values()
        return future

    def describe():
        (future,) = asked.describe_configs([resource()]).values()
        return {key: entry.value for key, entry in future.result(60).items()}

    check_equal(describe()["retention.ms"], "60000")
    check_equal(len(describe()) > 20, True)
    alter(retention_ms=(AlterConfigOpType.DELETE, ""),
          segment_bytes=(AlterConfigOpType.SET, "2000000"),
          cleanup_policy=(AlterConfigOpType.APPEND, "compact")).result(60)
    now = describe()
    check_equal([now["retention.ms"], now["segment.bytes"], now["cleanup.policy"]],
                ["604800000", "2000000", "delete,compact"])
    check_equal(refused(alter(no_such=(AlterConfigOpType.SET, "1"))), "INVALID_CONFIG")


@test
def deleted_records_are_gone():
    create_topic("shortened")
    send("shortened", numbered(10))
    partition = TopicPartition("shortened", 0, 6)
    (future,) = admin().delete_records([partition]).values()
    check_equal(future.result(60).low_watermark, 6)
    check_equal(values(read_all("shortened", 4)), numbered(10)[6:])


# ---- Groups -------------------------------------------------------------------------------


class Member:
    """A consumer, and what it was told."""

    def __init__(self, group, topic, **settings):
        self.consumer = Consumer({
            "bootstrap.servers": ADDRESS, "group.id": group, "auto.offset.reset": "earliest",
            "session.timeout.ms": 3000, "heartbeat.interval.ms": 200,
            "enable.auto.commit": False, "reconnect.backoff.max.ms": 200,
            **{key.replace("_", "."): value for key, value in settings.items()}})
        self.values = []
        self.revoked = 0
        self.error = None
        self.consumer.subscribe([topic], on_revoke=self.on_revoke)

    def on_revoke(self, _, partitions):
        self.revoked += len(partitions)

    def poll(self):
        message = self.consumer.poll(0.05)
        if message is not None and message.error():
            self.error = message.error().name()
        elif message is not None:
            self.values.append(message.value())

    def owned(self):
        return sorted(one.partition for one in self.consumer.assignment())

    def leave(self):
        self.consumer.close()


def poll_all(*members):
    return lambda: [member.poll() for member in members]


def await_shares(members, sizes):
    until(lambda: sorted(len(member.owned()) for member in members) == sizes,
          poll_all(*members), lambda: [(member.owned(), member.error) for member in members])
    check_equal(sorted(sum((member.owned() for member in members), [])), list(range(sum(sizes))))


def members_share(strategy):
    topic = f"shared-{strategy}"
    create_topic(topic, 6)
    members = [Member(topic, topic, partition_assignment_strategy=strategy)]
    await_shares(members, [6])
    members += [Member(topic, topic, partition_assignment_strategy=strategy) for _ in range(2)]
    await_shares(members, [2, 2, 2])
    check_equal(members[0].revoked >= 6, strategy != "cooperative-sticky")
    send(topic, numbered(60), 6)
    until(lambda: sum(len(member.values) for member in members) >= 60, poll_all(*members),
          lambda: [member.values for member in members])
    check_equal(sorted(sum((member.values for member in members), [])), sorted(numbered(60)))
    members[0].leave()
    await_shares(members[1:], [3, 3])
    members[1].leave()
    members[2].leave()


@test
def members_share_eagerly():
    members_share("range")


@test
def members_share_cooperatively():
    members_share("cooperative-sticky")


@test
def a_static_member_comes_back_and_is_fenced():
    create_topic("static", 2)
    settings = {"session_timeout_ms": 20000}
    one = Member("static", "static", group_instance_id="one", **settings)
    two = Member("static", "static", group_instance_id="two", **settings)
    await_shares([one, two], [1, 1])
    before, revoked = two.owned(), one.revoked
    two.leave()  # It does not tell the broker.
    again = Member("static", "static", group_instance_id="two", **settings)
    until(lambda: again.owned() != [], poll_all(one, again), again.owned)
    check_equal((again.owned(), one.revoked), (before, revoked))
    fencing = Member("static", "static", group_instance_id="two", **settings)
    until(lambda: again.error, poll_all(one, again, fencing), fencing.owned)
    check_equal(again.error, "_FATAL")
    for member in (one, fencing, again):
        member.leave()


@test
def the_end_of_a_session_frees_partitions():
    create_topic("expiring", 2)
    one = Member("expiring", "expiring")
    two = Member("expiring", "expiring", group_instance_id="sleepy", session_timeout_ms=2000)
    await_shares([one, two], [1, 1])
    two.leave()
    await_shares([one], [2])
    one.leave()


@test
def commits_survive_a_crash_and_members_go_on():
    create_topic("crashed")
    send("crashed", numbered(10))
    one = Member("crashed", "crashed", session_timeout_ms=20000)
    until(lambda: len(one.values) == 10, one.poll, lambda: one.values)
    one.consumer.commit(offsets=[TopicPartition("crashed", 0, 7, "why")], asynchronous=False)
    broker("crash")
    (found,) = one.consumer.committed([TopicPartition("crashed", 0)], 20)
    check_equal((found.offset, found.metadata), (7, "why"))
    send("crashed", [b"after"])
    until(lambda: one.values[10:] == [b"after"], one.poll, lambda: (one.values, one.error))
    one.consumer.commit(asynchronous=False)
    check_equal(one.revoked, 0)  # The generation is the one of before.
    error = thrown(one.consumer.commit, asynchronous=False,
                   offsets=[TopicPartition("crashed", 0, 8, "x" * 5000)])
    check_equal(isinstance(error, KafkaException), True)
    check_equal(error.args[0].code(), KafkaError.OFFSET_METADATA_TOO_LARGE)
    one.leave()
    simple = Consumer({"bootstrap.servers": ADDRESS, "group.id": "simple"})
    simple.assign([TopicPartition("crashed", 0, 3)])
    simple.commit(offsets=[TopicPartition("crashed", 0, 3)], asynchronous=False)
    check_equal([one.offset for one in simple.committed([TopicPartition("crashed", 0)], 20)], [3])
    simple.close()


@test
def groups_are_listed_described_and_deleted():
    create_topic("grouped", 2)
    member = Member("grouped", "grouped", client_id="somebody")
    await_shares([member], [2])
    member.consumer.commit(offsets=[TopicPartition("grouped", 0, 0, "why")], asynchronous=False)
    asked = admin()

    def listed(**filters):
        found = asked.list_consumer_groups(**filters).result(60).valid
        return [one.group_id for one in found if one.group_id == "grouped"]

    check_equal(listed(), ["grouped"])
    check_equal(listed(states={ConsumerGroupState.STABLE}), ["grouped"])
    check_equal(listed(states={ConsumerGroupState.EMPTY}), [])
    described = asked.describe_consumer_groups(["grouped"])["grouped"].result(60)
    (its,) = described.members
    check_equal([described.state, described.partition_assignor, its.client_id, its.host,
                 sorted(one.partition for one in its.assignment.topic_partitions)],
                [ConsumerGroupState.STABLE, "range", "somebody", "/127.0.0.1", [0, 1]])
    check_equal(refused(asked.delete_consumer_groups(["grouped"])["grouped"]), "NON_EMPTY_GROUP")
    member.leave()
    change = ConsumerGroupTopicPartitions("grouped", [TopicPartition("grouped", 1, 0)])
    asked.alter_consumer_group_offsets([change])["grouped"].result(60)
    ask = ConsumerGroupTopicPartitions("grouped")
    offsets = asked.list_consumer_group_offsets([ask])["grouped"].result(60).topic_partitions
    check_equal([(one.partition, one.offset, one.metadata) for one in offsets],
                [(0, 0, "why"), (1, 0, None)])
    asked.delete_consumer_groups(["grouped"])["grouped"].result(60)
    check_equal(refused(asked.delete_consumer_groups(["grouped"])["grouped"]),
                "GROUP_ID_NOT_FOUND")
    check_equal([one.offset for one in reader("grouped", group_id="grouped").committed(
        [TopicPartition("grouped", 0)], 20)], [OFFSET_INVALID])


if __name__ == "__main__":
    main(sys.argv[2:])
