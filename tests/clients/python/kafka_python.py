"""kafka-python of today, which speaks the newest versions of requests by tables like Kafka's.

usage: kafka_python.py ADDRESS [WORD…]
"""
import sys
import threading
import time
import uuid

import kafka
import kafka.admin
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata
from playing import ADDRESS, broker, thrown, until
from tap import check_equal, main, test


def admin():
    return kafka.KafkaAdminClient(bootstrap_servers=ADDRESS)


def create_topic(name, partitions=1, **configs):
    with_admin = admin()
    with_admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1,
                                     "configs": {key.replace("_", "."): value
                                                 for key, value in configs.items()}}})
    with_admin.close()


def send(topic, values, partitions=1):
    producer = kafka.KafkaProducer(bootstrap_servers=ADDRESS)
    for number, value in enumerate(values):
        producer.send(topic, value, partition=number % partitions)
    producer.flush(60)
    producer.close()


def numbered(count):
    return [b"v%d" % number for number in range(count)]


def reader(topic, offset=0, **settings):
    consumer = kafka.KafkaConsumer(bootstrap_servers=ADDRESS, auto_offset_reset="earliest",
                                   **settings)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, offset)
    return consumer


def read(consumer, count):
    records = []

    def poll():
        for polled in consumer.poll(200).values():
            records.extend(polled)

    until(lambda: len(records) >= count, poll, lambda: records)
    return records


def read_all(topic, count):
    consumer = reader(topic)
    records = read(consumer, count)
    consumer.close()
    return records


def values(records):
    return [record.value for record in records]


# ---- Records ------------------------------------------------------------------------------


def records_come_back(codec):
    topic = f"records-{codec}"
    create_topic(topic)
    wanted = []
    for acks in ["all", 1, 0]:
        producer = kafka.KafkaProducer(bootstrap_servers=ADDRESS, acks=acks, linger_ms=20,
                                       compression_type=codec,
                                       enable_idempotence=acks == "all")
        for i in range(50):
            headers = [("a", b"%d" % i), ("b", b"b"), ("a", b"")] if i % 3 else []
            one = (b"k%d" % i if i % 5 else None, b"x" * i * 20 if i % 7 or not i % 5 else None,
                   1700000000000 + i, headers)
            producer.send(topic, partition=0, key=one[0], value=one[1], timestamp_ms=one[2],
                          headers=headers)
            wanted.append(one)
        producer.flush(60)
        producer.close()
    records = read_all(topic, 150)
    check_equal([record.offset for record in records], list(range(150)))
    check_equal([(record.key, record.value, record.timestamp, list(record.headers))
                 for record in records], wanted)


@test
def records_come_back_with_none_and_every_acks():
    records_come_back(None)


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
    producer = kafka.KafkaProducer(bootstrap_servers=ADDRESS)
    before = int(time.time() * 1000)
    told = producer.send("append", b"a", timestamp_ms=1000).get(20)
    producer.close()
    after = int(time.time() * 1000)
    check_equal(before <= told.timestamp <= after, True)
    (record,) = read_all("append", 1)
    check_equal((record.timestamp, record.timestamp_type), (told.timestamp, 1))


@test
def an_idempotent_producer_writes_once_over_a_crash():
    create_topic("idempotent")
    producer = kafka.KafkaProducer(bootstrap_servers=ADDRESS, batch_size=400)
    sent = []
    for number, value in enumerate(numbered(1500)):
        sent.append(producer.send("idempotent", value))
        if number == 700:
            broker("crash")
    check_equal([one.get(30).offset for one in sent], list(range(1500)))
    producer.close()
    check_equal(values(read_all("idempotent", 1500)), numbered(1500))


@test
def a_consumer_starts_anywhere():
    create_topic("anywhere")
    producer = kafka.KafkaProducer(bootstrap_servers=ADDRESS)
    for number, value in enumerate(numbered(20)):
        producer.send("anywhere", value, timestamp_ms=1700000000000 + 1000 * number).get(20)
    producer.close()
    partition = TopicPartition("anywhere", 0)
    consumer = reader("anywhere", 15, isolation_level="read_committed")
    check_equal(values(read(consumer, 5)), numbered(20)[15:])
    check_equal(consumer.beginning_offsets([partition]), {partition: 0})
    check_equal(consumer.end_offsets([partition]), {partition: 20})
    found = consumer.offsets_for_times({partition: 1700000007001})[partition]
    check_equal((found.offset, found.timestamp), (8, 1700000008000))
    check_equal(consumer.offsets_for_times({partition: 1800000000000})[partition], None)
    consumer.seek(partition, 99)  # Out of range: from the earliest again.
    check_equal(values(read(consumer, 20)), numbered(20))
    consumer.close()
    asked = admin()
    for spec, offset in [(kafka.OffsetSpec.EARLIEST, 0), (kafka.OffsetSpec.LATEST, 20),
                         (kafka.OffsetSpec.MAX_TIMESTAMP, 19), (1700000003000, 3)]:
        check_equal(asked.list_partition_offsets({partition: spec})[partition].offset, offset)
    asked.close()


@test
def a_waiting_consumer_gets_what_comes():
    create_topic("waiting")
    consumer = reader("waiting", fetch_max_wait_ms=5000)
    consumer.poll(200)
    for value in [b"a", b"b"]:
        send("waiting", [value])
        check_equal(values(read(consumer, 1)), [value])
    consumer.close()


# ---- Admin --------------------------------------------------------------------------------


def refused(call, *arguments):
    return type(thrown(call, *arguments)).__name__


@test
def topics_are_created_described_grown_and_deleted():
    asked = admin()

    def create(name, **options):
        return asked.create_topics({name: {"num_partitions": 2, "replication_factor": 1,
                                           **options}})

    create("made", configs={"retention.ms": "60000"})
    check_equal(refused(lambda: create("made")), "TopicAlreadyExistsError")
    check_equal(refused(lambda: create("m", num_partitions=0)), "InvalidPartitionsError")
    check_equal(refused(lambda: create("m", replication_factor=3)),
                "InvalidReplicationFactorError")
    check_equal(refused(lambda: create("m/n")), "InvalidTopicError")
    check_equal(refused(lambda: create("m", configs={"retention.ms": "soon"})),
                "InvalidConfigurationError")
    asked.create_partitions({"made": 4})
    check_equal(refused(lambda: asked.create_partitions({"made": 3})), "InvalidPartitionsError")
    (described,) = asked.describe_topics(["made"])
    check_equal(sorted(one["partition_index"] for one in described["partitions"]), [0, 1, 2, 3])
    (by_id,) = asked.describe_topics([uuid.UUID(described["topic_id"])])
    check_equal(by_id["name"], "made")
    check_equal("made" in asked.list_topics(), True)
    asked.delete_topics(["made"])
    check_equal("made" in asked.list_topics(), False)
    check_equal(refused(lambda: asked.delete_topics(["made"])), "UnknownTopicOrPartitionError")
    (node,) = asked.describe_cluster()["brokers"]
    check_equal(f"{node['host']}:{node['port']}", ADDRESS)
    asked.close()


@test
def configs_are_described_and_altered():
    create_topic("configured", retention_ms="60000")
    asked = admin()

    def resource(**configs):
        return kafka.admin.ConfigResource(
            kafka.admin.ConfigResourceType.TOPIC, "configured",
            {key.replace("_", "."): value for key, value in configs.items()} or None)

    def describe():
        told = asked.describe_configs([resource()], config_filter="all")["topic"]["configured"]
        return {key: one["value"] for key, one in told.items()}

    check_equal(describe()["retention.ms"], "60000")
    check_equal(len(describe()) > 20, True)
    asked.alter_configs([resource(retention_ms=("DELETE", None), segment_bytes="2000000",
                                  cleanup_policy=("APPEND", "compact"))])
    now = describe()
    check_equal([now["retention.ms"], now["segment.bytes"], now["cleanup.policy"]],
                ["604800000", "2000000", "delete,compact"])
    asked.close()


@test
def deleted_records_are_gone():
    create_topic("shortened")
    send("shortened", numbered(10))
    asked = admin()
    partition = TopicPartition("shortened", 0)
    check_equal(asked.delete_records({partition: 6})[partition]["low_watermark"], 6)
    asked.close()
    check_equal(values(read_all("shortened", 4)), numbered(10)[6:])


# ---- Groups -------------------------------------------------------------------------------


class Member(threading.Thread):
    """A consumer in a thread, because its poll() waits for a rebalance. One poll() must last
    for the whole of it: kafka-python 3.0.12 loses the assignment that comes when a poll() of
    less has just ended."""

    def __init__(self, group, topic, **settings):
        super().__init__(daemon=True)
        self.consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=ADDRESS, group_id=group, auto_offset_reset="earliest",
            **{"enable_auto_commit": False, "session_timeout_ms": 3000,
               "heartbeat_interval_ms": 200, "max_poll_interval_ms": 10000, **settings})
        self.values = []
        self.changed = threading.Condition()
        self.asked = None
        self.ending = False
        self.error = None
        self.start()

    def run(self):
        try:
            while not self.ending:
                polled = self.consumer.poll(1500)
                if self.asked is not None:
                    self.asked(self.consumer)
                    self.asked = None
                with self.changed:
                    for records in polled.values():
                        self.values += [record.value for record in records]
                    self.changed.notify_all()
        except Exception as error:  # Told by whoever waits for it.
            self.error = error
        self.consumer.close()

    @property
    def owned(self):
        return sorted(one.partition for one in self.consumer.assignment())

    def do(self, what):
        """Has the member's thread call what(consumer)."""
        self.asked = what
        until(lambda: self.asked is None or self.error, self.wait, lambda: self.error)

    def wait(self):
        with self.changed:
            self.changed.wait(0.05)

    def leave(self):
        self.ending = True
        self.join()


def await_shares(members, sizes):
    until(lambda: [len(member.owned) for member in members] == sizes, members[0].wait,
          lambda: [(member.owned, member.error) for member in members])
    check_equal(sorted(sum((member.owned for member in members), [])), list(range(sum(sizes))))


def members_share(topic, **settings):
    create_topic(topic, 6)
    members = [Member(topic, topic, **settings) for _ in range(3)]
    await_shares(members, [2, 2, 2])
    send(topic, numbered(60), 6)
    until(lambda: sum(len(member.values) for member in members) >= 60, members[0].wait,
          lambda: [member.values for member in members])
    check_equal(sorted(sum((member.values for member in members), [])), sorted(numbered(60)))
    members[0].leave()
    await_shares(members[1:], [3, 3])
    members[1].leave()
    members[2].leave()


@test
def members_share_eagerly():
    members_share("shared")


@test
def members_share_cooperatively():
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    members_share("shared-cooperative",
                  partition_assignment_strategy=[CooperativeStickyAssignor])


@test
def a_static_member_comes_back_and_is_removed():
    create_topic("static", 2)
    settings = {"session_timeout_ms": 20000}
    one = Member("static", "static", group_instance_id="one", **settings)
    two = Member("static", "static", group_instance_id="two", **settings)
    await_shares([one, two], [1, 1])
    before = two.owned
    two.leave()  # It does not tell the broker.
    again = Member("static", "static", group_instance_id="two", **settings)
    await_shares([one, again], [1, 1])
    check_equal(again.owned, before)
    again.leave()
    asked = admin()
    (error,) = asked.remove_group_members(
        "static", [kafka.admin.MemberToRemove(group_instance_id="two")]).values()
    check_equal(error.__name__, "NoError")
    await_shares([one], [2])
    one.leave()
    asked.close()


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
    partition = TopicPartition("crashed", 0)
    one = Member("crashed", "crashed", session_timeout_ms=20000)
    until(lambda: len(one.values) == 10, one.wait, lambda: one.values)
    one.do(lambda consumer: consumer.commit({partition: OffsetAndMetadata(7, "why", -1)}))
    broker("crash")
    asked = admin()
    found = asked.list_group_offsets("crashed")["crashed"][partition]
    check_equal((found.offset, found.metadata), (7, "why"))
    send("crashed", [b"after"])
    until(lambda: one.values[10:] == [b"after"], one.wait, lambda: (one.values, one.error))
    one.do(lambda consumer: consumer.commit())
    check_equal(asked.list_group_offsets("crashed")["crashed"][partition].offset, 11)
    one.leave()
    asked.close()


@test
def groups_are_listed_described_and_deleted():
    create_topic("grouped", 2)
    first, second = TopicPartition("grouped", 0), TopicPartition("grouped", 1)
    member = Member("grouped", "grouped", client_id="somebody")
    await_shares([member], [2])
    member.do(lambda consumer: consumer.commit({first: OffsetAndMetadata(0, "why", -1)}))
    asked = admin()

    def listed(**filters):
        return [(one["group_state"], one["group_type"], one["protocol_type"])
                for one in asked.list_groups(**filters) if one["group_id"] == "grouped"]

    check_equal(listed(), [("Stable", "classic", "consumer")])
    check_equal(listed(states_filter=["STABLE"]), [("Stable", "classic", "consumer")])
    check_equal(listed(states_filter=["EMPTY"]), [])
    check_equal(listed(types_filter=["CONSUMER"]), [])
    described = asked.describe_groups(["grouped"])["grouped"]
    (its,) = described["members"]
    check_equal([described["group_state"], described["protocol_data"], its["client_id"],
                 its["client_host"]], ["Stable", "range", "somebody", "/127.0.0.1"])
    check_equal(asked.delete_groups(["grouped"])["grouped"], "NonEmptyGroupError")
    check_equal(asked.delete_group_offsets("grouped", [first])[first].__name__,
                "GroupSubscribedToTopicError")
    member.leave()
    asked.alter_group_offsets("grouped", {second: OffsetAndMetadata(0, "", -1)})
    check_equal(asked.delete_group_offsets("grouped", [first])[first].__name__, "NoError")
    check_equal(list(asked.list_group_offsets("grouped")["grouped"]), [second])
    check_equal(asked.delete_groups(["grouped"])["grouped"], "OK")
    check_equal(asked.delete_groups(["grouped"])["grouped"], "GroupIdNotFoundError")
    asked.close()


if __name__ == "__main__":
    main(sys.argv[2:])
