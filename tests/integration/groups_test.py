"""Consumer groups of real clients: kcat, librdkafka through confluent-kafka, kafka-python.

usage: groups_test.py SLUICE [WORD…]
"""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

try:
    import confluent_kafka
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    confluent_kafka = None
try:
    import kafka
    import kafka.admin
except ImportError:
    kafka = None

PROGRAM = sys.argv[1]
PATIENT = {"api_version_auto_timeout_ms": 60000}  # kafka-python gives a broker 2 s else.
LIMIT_SECONDS = 100


def broker(**settings):
    """Short sessions, so that a member that dies is missed soon."""
    return RunningBroker(PROGRAM, {"group.min.session.timeout.ms": "500", **settings})


def need(module, package):
    if module is None:
        raise Skip(f"{package} is not installed")


def until(true, step, what):
    """Calls step() until true(); step() is where the waiting is."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not after {LIMIT_SECONDS} s: {what()}")
        step()


def create_topic(address, name, partitions):
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(60)


def produce(address, topic, values, partitions=1):
    producer = confluent_kafka.Producer({"bootstrap.servers": address})
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % partitions)
    check_equal(producer.flush(60), 0)


class Member:
    """A librdkafka consumer, and what it was told."""

    def __init__(self, address, group, topic, **settings):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest",
            "session.timeout.ms": 20000, "heartbeat.interval.ms": 200,
            "enable.auto.commit": False, **{key.replace("_", "."): value
                                            for key, value in settings.items()}})
        self.cooperative = "cooperative" in settings.get("partition_assignment_strategy", "")
        self.assignments = 0
        self.values = []
        self.consumer.subscribe([topic], on_assign=self.on_assign, on_revoke=self.on_revoke)

    def on_assign(self, consumer, partitions):
        self.assignments += 1
        if self.cooperative:
            consumer.incremental_assign(partitions)
        else:
            consumer.assign(partitions)

    def on_revoke(self, consumer, partitions):
        if self.cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def poll(self):
        message = self.consumer.poll(0.05)
        if message is not None:
            if message.error():
                raise AssertionError(message.error())
            self.values.append(message.value().decode())

    def owned(self):
        return sorted(partition.partition for partition in self.consumer.assignment())


def poll_all(*members):
    return lambda: [member.poll() for member in members]


def shares(*members):
    return lambda: [member.owned() for member in members]


# ---- kcat ---------------------------------------------------------------------------------


@test
def kcat_consumes_in_a_group_and_goes_on_where_it_was():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 2)
        produce(running.address, "t", [f"v{i}" for i in range(10)], 2)

        def kcat(count):
            ran = subprocess.run(
                ["kcat", "-b", running.address, "-G", "g", "-q", "-c", str(count), "-X",
                 "auto.offset.reset=earliest", "t"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                check=True)
            return sorted(ran.stdout.split())

        check_equal(kcat(10), sorted(f"v{i}" for i in range(10)))
        produce(running.address, "t", ["new"])
        check_equal(kcat(1), ["new"])


# ---- librdkafka ---------------------------------------------------------------------------


def members_share(strategy):
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 6)
        settings = {"partition_assignment_strategy": strategy}
        one = Member(running.address, "g", "t", **settings)
        until(lambda: one.owned() == [0, 1, 2, 3, 4, 5], one.poll, shares(one))
        two = Member(running.address, "g", "t", **settings)
        three = Member(running.address, "g", "t", **settings)
        all_three = [one, two, three]
        until(lambda: [len(member.owned()) for member in all_three] == [2, 2, 2],
              poll_all(*all_three), shares(*all_three))
        check_equal(sorted(one.owned() + two.owned() + three.owned()), [0, 1, 2, 3, 4, 5])

        produce(running.address, "t", [f"v{i}" for i in range(60)], 6)
        until(lambda: sum(len(member.values) for member in all_three) >= 60,
              poll_all(*all_three), lambda: [member.values for member in all_three])
        check_equal([len(member.values) for member in all_three], [20, 20, 20])
        one.consumer.close()
        until(lambda: sorted(two.owned() + three.owned()) == [0, 1, 2, 3, 4, 5],
              poll_all(two, three), shares(two, three))
        two.consumer.close()
        three.consumer.close()


@test
def three_members_share_partitions_eagerly():
    members_share("range")


@test
def three_members_share_partitions_cooperatively():
    members_share("cooperative-sticky")


MEMBER_TO_KILL = """
import sys, confluent_kafka
consumer = confluent_kafka.Consumer({"bootstrap.servers": sys.argv[1], "group.id": "g",
    "session.timeout.ms": 1000, "heartbeat.interval.ms": 100})
consumer.subscribe(["t"])
while True:
    consumer.poll(0.1)
    if consumer.assignment():
        print("mine", flush=True)
"""


@test
def a_member_that_is_killed_loses_its_partitions_after_its_session():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 2)
        victim = subprocess.Popen([sys.executable, "-c", MEMBER_TO_KILL, running.address],
                                  stdout=subprocess.PIPE, text=True)
        try:
            check_equal(victim.stdout.readline(), "mine\n")
            other = Member(running.address, "g", "t")
            until(lambda: len(other.owned()) == 1, other.poll, shares(other))
        finally:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            victim.stdout.close()
        until(lambda: other.owned() == [0, 1], other.poll, shares(other))
        other.consumer.close()


@test
def a_static_member_that_restarts_moves_no_partition():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 2)

        def member(name):
            return Member(running.address, "g", "t", group_instance_id=name,
                          session_timeout_ms=60000)

        one, two = member("one"), member("two")
        until(lambda: len(one.owned()) == 1 and len(two.owned()) == 1, poll_all(one, two),
              shares(one, two))
        before, assignments = two.owned(), one.assignments
        two.consumer.close()  # A static member does not leave.
        two = member("two")
        until(lambda: two.owned() != [], poll_all(one, two), shares(one, two))
        check_equal(two.owned(), before)
        check_equal(one.assignments, assignments)
        one.consumer.close()
        two.consumer.close()


@test
def offsets_survive_a_crash_of_the_broker():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 1)
        produce(running.address, "t", [f"v{i}" for i in range(10)])
        one = Member(running.address, "g", "t")
        until(lambda: len(one.values) >= 10, one.poll, lambda: one.values)
        one.consumer.commit(
            offsets=[confluent_kafka.TopicPartition("t", 0, 7)], asynchronous=False)
        one.consumer.close()
        running.crash()
        running.start()
        two = Member(running.address, "g", "t")
        until(lambda: len(two.values) >= 3, two.poll, lambda: two.values)
        check_equal(two.values, ["v7", "v8", "v9"])
        two.consumer.close()


@test
def members_go_on_after_a_crash_of_the_broker():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 2)
        # Without rebalances in between, whatever the reconnecting takes.
        settings = {"session_timeout_ms": 60000}
        one = Member(running.address, "g", "t", **settings)
        two = Member(running.address, "g", "t", **settings)
        until(lambda: len(one.owned()) == 1 and len(two.owned()) == 1, poll_all(one, two),
              shares(one, two))
        before = [one.owned(), two.owned(), one.assignments, two.assignments]
        running.crash()
        running.start()
        produce(running.address, "t", ["a", "b"], 2)
        until(lambda: one.values and two.values, poll_all(one, two),
              lambda: [one.values, two.values])
        one.consumer.commit(asynchronous=False)
        two.consumer.commit(asynchronous=False)
        check_equal([one.owned(), two.owned(), one.assignments, two.assignments], before)
        one.consumer.close()
        two.consumer.close()


@test
def a_consumer_that_assigns_its_partitions_commits_without_joining():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 1)
        produce(running.address, "t", ["a", "b"])
        consumer = confluent_kafka.Consumer({"bootstrap.servers": running.address,
                                             "group.id": "simple"})
        partition = confluent_kafka.TopicPartition("t", 0, 1)
        consumer.assign([partition])
        consumer.commit(offsets=[partition], asynchronous=False)
        check_equal([found.offset for found in consumer.committed([partition], 60)], [1])
        nowhere = confluent_kafka.TopicPartition("t", 5)
        check_equal([found.offset for found in consumer.committed([nowhere], 60)],
                    [confluent_kafka.OFFSET_INVALID])
        consumer.close()


# ---- kafka-python -------------------------------------------------------------------------


class PythonMember(threading.Thread):
    """A kafka-python consumer in a thread, because its poll() waits for a rebalance."""

    def __init__(self, address, **settings):
        super().__init__()
        self.consumer = kafka.KafkaConsumer(
            "t", bootstrap_servers=address, group_id="g", auto_offset_reset="earliest",
            enable_auto_commit=False, session_timeout_ms=20000, heartbeat_interval_ms=200,
            max_poll_interval_ms=60000, **PATIENT, **settings)
        self.values = []
        self.owned = []
        self.changed = threading.Condition()
        self.ending = False
        self.start()

    def run(self):
        while not self.ending:
            polled = self.consumer.poll(100)
            with self.changed:
                for records in polled.values():
                    self.values += [record.value.decode() for record in records]
                self.owned = sorted(partition.partition
                                    for partition in self.consumer.assignment())
                self.changed.notify_all()
        self.consumer.commit()
        self.consumer.close()

    def wait(self):
        with self.changed:
            self.changed.wait(1)

    def leave(self):
        self.ending = True
        self.join()


@test
def two_members_of_kafka_python_share_and_one_takes_over():
    need(kafka, "python3-kafka")
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 4)
        produce(running.address, "t", [f"v{i}" for i in range(8)], 4)
        one, two = PythonMember(running.address), PythonMember(running.address)
        owned = lambda: [one.owned, two.owned]  # noqa: E731
        try:
            until(lambda: sorted(map(len, owned())) == [2, 2], one.wait, owned)
            check_equal(sorted(one.owned + two.owned), [0, 1, 2, 3])
            until(lambda: len(set(one.values + two.values)) == 8, one.wait,
                  lambda: [one.values, two.values])
            two.leave()
            until(lambda: one.owned == [0, 1, 2, 3], one.wait, owned)
        finally:
            one.ending = two.ending = True
        one.leave()
        admin = kafka.admin.KafkaAdminClient(bootstrap_servers=running.address, **PATIENT)
        offsets = admin.list_consumer_group_offsets("g")
        check_equal([offsets[kafka.TopicPartition("t", i)].offset for i in range(4)],
                    [2, 2, 2, 2])
        admin.close()


@test
def the_admin_client_lists_describes_and_deletes_groups():
    need(kafka, "python3-kafka")
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        create_topic(running.address, "t", 2)
        produce(running.address, "t", ["a", "b"], 2)
        member = kafka.KafkaConsumer("t", bootstrap_servers=running.address, group_id="g",
                                     client_id="me", enable_auto_commit=False, **PATIENT)
        until(lambda: len(member.assignment()) == 2, lambda: member.poll(100),
              member.assignment)
        member.commit()
        admin = kafka.admin.KafkaAdminClient(bootstrap_servers=running.address, **PATIENT)
        check_equal(admin.list_consumer_groups(), [("g", "consumer")])
        described = admin.describe_consumer_groups(["g", "nobody"])
        check_equal([(group.group, group.state, group.protocol, len(group.members))
                     for group in described],
                    [("g", "Stable", "range", 1), ("nobody", "Dead", "", 0)])
        check_equal(described[0].members[0].client_id, "me")
        check_equal(described[0].members[0].client_host, "/127.0.0.1")
        offsets = admin.list_consumer_group_offsets("g")
        check_equal(sorted((partition.partition, found.offset)
                           for partition, found in offsets.items()),
                    [(partition, member.position(kafka.TopicPartition("t", partition)))
                     for partition in (0, 1)])
        (_, error), = admin.delete_consumer_groups(["g"])
        check_equal(error.__name__, "NonEmptyGroupError")
        member.close()
        (_, error), = admin.delete_consumer_groups(["g"])
        check_equal(error.__name__, "NoError")
        check_equal(admin.list_consumer_groups(), [])
        admin.close()


if __name__ == "__main__":
    main(sys.argv[2:])
