"""The broker with clients that others wrote, with clients that mean harm, and killed while
they wait: kcat, librdkafka through confluent-kafka, kafka-python, raw sockets.

usage: broker_test.py SLUICE [WORD…]
"""
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

try:
    import confluent_kafka
    from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
except ImportError:
    confluent_kafka = None
try:
    import kafka
    import kafka.admin
except ImportError:
    kafka = None

PROGRAM = sys.argv[1]
PATIENT = {"api_version_auto_timeout_ms": 60000}  # kafka-python gives a broker 2 s else.
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def broker(**settings):
    return RunningBroker(PROGRAM, {key.replace("_", "."): value
                                   for key, value in settings.items()})


def need(module, package):
    if module is None:
        raise Skip(f"{package} is not installed")


def kcat(address, *arguments, lines=None):
    ran = subprocess.run(["kcat", "-b", address, *arguments], text=True, timeout=120,
                         input=None if lines is None else "".join(f"{line}\n" for line in lines),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        raise AssertionError(f"kcat {arguments}: {ran.stderr}")
    return ran.stdout.splitlines()


def consume_all(address, topic, count):
    """The values of a topic from its beginning, in the order of each partition."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": address, "group.id": "reader", "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, 60).topics[topic].partitions
    consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
    values, ended = {number: [] for number in partitions}, set()
    while len(ended) < len(partitions):
        message = consumer.poll(60)
        if message is None:
            raise AssertionError(f"{sum(map(len, values.values()))} of {count} came")
        if message.error():
            check_equal(message.error().code(), confluent_kafka.KafkaError._PARTITION_EOF)
            ended.add(message.partition())
        else:
            values[message.partition()].append(message.value())
    consumer.close()
    return values


# ---- kcat ---------------------------------------------------------------------------------


@test
def kcat_gets_back_what_it_sent_with_every_compression():
    lines = [f"line {number} {'x' * (number % 300)}" for number in range(3000)]
    with broker() as running:
        for codec in CODECS:
            kcat(running.address, "-P", "-t", codec, "-z", codec, lines=lines)
            check_equal(kcat(running.address, "-C", "-t", codec, "-e", "-q"), lines)


@test
def keys_headers_and_nulls_come_back():
    with broker() as running:
        kcat(running.address, "-P", "-t", "t", "-K", ":", "-H", "a=1", "-H", "b=",
             lines=["k:v", "k2:"])
        kcat(running.address, "-P", "-t", "t", "-K", ":", "-Z", lines=["gone:"])
        check_equal(kcat(running.address, "-C", "-t", "t", "-e", "-q", "-f",
                         "%o|%k|%K|%s|%S|%h\n"),
                    ["0|k|1|v|1|a=1,b=", "1|k2|2||0|a=1,b=", "2|gone|4||-1|"])


@test
def offsets_are_found_by_their_timestamps():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        producer = confluent_kafka.Producer({"bootstrap.servers": running.address,
                                             "linger.ms": 0})
        for number in range(10):
            producer.produce("t", f"v{number}", timestamp=1700000000000 + 1000 * number)
            check_equal(producer.flush(60), 0)
        ask = lambda when: kcat(running.address, "-Q", "-t", f"t:0:{when}")  # noqa: E731
        check_equal(ask(-2), ["t [0] offset 0"])
        check_equal(ask(-1), ["t [0] offset 10"])
        check_equal(ask(1700000004000), ["t [0] offset 4"])
        check_equal(ask(1700000004001), ["t [0] offset 5"])
        check_equal(ask(1800000000000), ["t [0] offset -1"])


@test
def without_auto_creation_an_unknown_topic_stays_unknown():
    with broker(**{"auto.create.topics.enable": "false"}) as running:
        told = " ".join(kcat(running.address, "-L", "-t", "none"))
        if "Unknown topic or partition" not in told:
            raise AssertionError(told)


# ---- librdkafka ---------------------------------------------------------------------------


@test
def an_idempotent_producer_sends_each_value_once_and_in_order():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker(**{"num.partitions": "3"}) as running:
        producer = confluent_kafka.Producer({
            "bootstrap.servers": running.address, "enable.idempotence": True,
            "compression.type": "zstd", "linger.ms": 1})
        failed = []
        for number in range(20000):
            producer.produce("t", str(number), partition=number % 3,
                             on_delivery=lambda error, _: error and failed.append(error))
            producer.poll(0)
        check_equal((producer.flush(120), failed), (0, []))
        got = consume_all(running.address, "t", 20000)
        for part, values in got.items():
            check_equal([int(value) for value in values], list(range(part, 20000, 3)))


@test
def the_admin_client_of_librdkafka_makes_changes_and_deletes_topics():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        admin = AdminClient({"bootstrap.servers": running.address})

        def wait(futures):
            for future in futures.values():
                future.result(60)

        wait(admin.create_topics([NewTopic("t", 2, 1, config={"retention.ms": "1000"})]))
        wait(admin.create_partitions([NewPartitions("t", 5)]))
        check_equal(len(admin.list_topics("t", 60).topics["t"].partitions), 5)
        resource = ConfigResource("topic", "t")
        wait(admin.alter_configs([ConfigResource("topic", "t",
                                                 set_config={"segment.bytes": "100000"})]))
        configs = admin.describe_configs([resource])[resource].result(60)
        check_equal((configs["segment.bytes"].value, configs["retention.ms"].value),
                    ("100000", "604800000"))
        wait(admin.delete_topics(["t"]))
        check_equal("t" in admin.list_topics(timeout=120).topics, False)
        refused = admin.create_topics([NewTopic("r", 1, 3)])["r"].exception(60)
        check_equal(refused.args[0].code(), confluent_kafka.KafkaError.INVALID_REPLICATION_FACTOR)


# ---- kafka-python -------------------------------------------------------------------------


@test
def kafka_python_takes_the_broker_for_a_new_one_and_talks_to_it():
    need(kafka, "python3-kafka")
    with broker() as running:
        admin = kafka.admin.KafkaAdminClient(bootstrap_servers=running.address, **PATIENT)
        check_equal(admin.config["api_version"] >= (2, 4), True)
        admin.create_topics([kafka.admin.NewTopic("t", 3, 1)])
        producer = kafka.KafkaProducer(bootstrap_servers=running.address, acks="all",
                                       compression_type="gzip", **PATIENT)
        sent = [producer.send("t", str(number).encode(), key=str(number).encode())
                for number in range(500)]
        check_equal(all(one.get(60).offset >= 0 for one in sent), True)
        consumer = kafka.KafkaConsumer("t", bootstrap_servers=running.address, group_id="g",
                                       auto_offset_reset="earliest", **PATIENT)
        got = set()
        while len(got) < 500:
            got.update(int(message.value) for batch in consumer.poll(1000).values()
                       for message in batch)
        consumer.close()
        check_equal(got, set(range(500)))
        admin.delete_topics(["t"])
        check_equal("t" in admin.list_topics(), False)
        admin.close()
        producer.close()


# ---- Crashes ------------------------------------------------------------------------------


def acked_values(address, limit, settings):
    """Produces until `limit` values are acknowledged or the broker is gone; tells both."""
    acked, enough, over = [], threading.Event(), threading.Event()
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "linger.ms": 2,
                                         "message.timeout.ms": 8000, **settings})

    def on_delivery(error, message):
        if error is None:
            acked.append(int(message.value()))
            if len(acked) >= limit:
                enough.set()

    def run():
        number = 0
        while not over.is_set():
            try:
                producer.produce("t", str(number), partition=number % 2, on_delivery=on_delivery)
                number += 1
            except BufferError:
                producer.poll(0.05)
            producer.poll(0)
        producer.purge()
        producer.flush(10)

    thread = threading.Thread(target=run)
    thread.start()
    return acked, enough, over, thread


def nothing_acknowledged_is_lost(settings):
    need(confluent_kafka, "python3-confluent-kafka")
    with broker(**{"num.partitions": "2"}) as running:
        everything = []
        for _ in range(3):
            acked, enough, over, thread = acked_values(running.address, 3000, settings)
            if not enough.wait(120):
                raise AssertionError("nothing is acknowledged")
            running.crash()
            over.set()
            thread.join()
            everything.append(set(acked))
            running.start()
        got = consume_all(running.address, "t", 0)
        values = [int(value) for part in got.values() for value in part]
        for round_values in everything:
            lost = round_values - set(values)
            check_equal((len(lost), sorted(lost)[:5]), (0, []))


@test
def what_was_acknowledged_is_there_after_kill_9():
    nothing_acknowledged_is_lost({"acks": "all"})


@test
def what_was_acknowledged_to_an_idempotent_producer_is_there_after_kill_9():
    nothing_acknowledged_is_lost({"enable.idempotence": True})


@test
def a_producer_goes_on_over_a_crash_without_a_gap_or_a_repeat():
    need(confluent_kafka, "python3-confluent-kafka")
    with broker() as running:
        producer = confluent_kafka.Producer({
            "bootstrap.servers": running.address, "enable.idempotence": True, "linger.ms": 1,
            "retry.backoff.ms": 20, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100})
        failed = []
        for number in range(12000):
            producer.produce("t", str(number),
                             on_delivery=lambda error, _: error and failed.append(error))
            producer.poll(0)
            if number in (4000, 8000):
                producer.poll(0.02)
                running.crash()
                running.start()
        check_equal((producer.flush(120), failed), (0, []))
        got = consume_all(running.address, "t", 12000)[0]
        check_equal([int(value) for value in got], list(range(12000)))


# ---- Harm ---------------------------------------------------------------------------------


def connect(address):
    host, port = address.rsplit(":", 1)
    client = socket.create_connection((host, int(port)), timeout=120)
    return client


@test
def garbage_closes_its_own_connection_and_harms_nobody_else():
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    chance = random.Random(seed)
    with broker() as running:
        for _ in range(200):
            with connect(running.address) as client:
                size = chance.randrange(0, 200)
                frame = chance.randbytes(size)
                if size >= 4 and chance.random() < 0.8:  # A key and a version that exist.
                    frame = struct.pack(">hh", chance.randrange(0, 61),
                                        chance.randrange(0, 14)) + frame[4:]
                client.sendall(struct.pack(">i", size) + frame)
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
        kcat(running.address, "-P", "-t", "t", lines=["still here"])
        check_equal(kcat(running.address, "-C", "-t", "t", "-e", "-q"), ["still here"])


@test
def a_size_above_the_limit_is_refused_before_anything_is_received():
    with broker(**{"socket.request.max.bytes": "1000"}) as running:
        for size in (1001, 0x7FFFFFFF, -1):
            with connect(running.address) as client:
                client.sendall(struct.pack(">i", size))
                check_equal(client.recv(1), b"")


# ---- Starting and stopping ----------------------------------------------------------------


def start_fails(*arguments):
    ran = subprocess.run([PROGRAM, "broker", *arguments], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    return ran.returncode, ran.stderr


@test
def what_hinders_the_start_is_named():
    with broker() as running:
        code, told = start_fails("-o", f"listeners=PLAINTEXT://{running.address}")
        check_equal((code, "Address already in use" in told), (2, True))
        code, told = start_fails("-o", "listeners=PLAINTEXT://127.0.0.1:0", "-o",
                                 f"log.dirs={running.folder}/data")
        check_equal((code, f"{running.folder}/data" in told), (2, True))
    code, told = start_fails("-o", "num.partitions=none", "-o", "num.partition=3")
    check_equal(code, 2)
    check_equal("num.partitions is 'none'" in told and "'num.partitions' is" in told, True)
    code, told = start_fails("/nowhere/server.properties")
    check_equal((code, "/nowhere/server.properties" in told), (2, True))


@test
def keys_that_do_nothing_are_named_in_the_log():
    with broker(**{"num.io.threads": "4", "my.key": "x"}) as running:
        log = running.log()
        check_equal("num.io.threads has no effect" in log and "my.key is not a known key" in log,
                    True)


@test
def both_signals_stop_it_cleanly_with_clients_waiting():
    need(confluent_kafka, "python3-confluent-kafka")
    for how in (signal.SIGTERM, signal.SIGINT):
        with broker() as running:
            kcat(running.address, "-P", "-t", "t", lines=["one"])
            reader = subprocess.Popen(["kcat", "-b", running.address, "-C", "-t", "t", "-q", "-u"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            check_equal(reader.stdout.readline(), b"one\n")
            check_equal(running.stop(how), 0)
            reader.kill()
            reader.wait()
            reader.stdout.close()
            data = os.path.join(running.folder, "data")
            check_equal(os.path.exists(os.path.join(data, ".kafka_cleanshutdown")), True)


@test
def sluice_topics_describes_what_a_topic_and_the_broker_set():
    with broker(log_segment_bytes="1000000") as running:
        def topics(*arguments):
            return subprocess.run([PROGRAM, "topics", *arguments, "--bootstrap-server",
                                   running.address], capture_output=True, text=True,
                                  check=True).stdout

        topics("create", "t", "--config", "retention.ms=1000", "--config",
               "cleanup.policy=compact")
        fields = topics("describe", "t").split("\n")[0].split("\t")
        check_equal([one for one in fields if not one.startswith("TopicId: ")],
                    ["Topic: t", "PartitionCount: 1", "ReplicationFactor: 1", "Configs: "
                     "cleanup.policy=compact,retention.ms=1000,segment.bytes=1000000"])


main(sys.argv[2:])
