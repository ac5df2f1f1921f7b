"""A client of a few requests, for tests that must choose every field themselves: producer ids, epochs,
sequences, what is in flight. Records are written and read by kafka-python.

    client = Client("127.0.0.1:9092")
    producer_id, epoch = client.init_producer_id()
    client.send_produce("t", 0, batch([b"a", b"b"], producer_id, epoch, 0))
    error, offset = client.receive_produce()
"""
import socket
import struct

from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH = 0, 1, 2, 3, 8, 9
CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS, INIT_PRODUCER_ID = 19, 20, 21, 22
DESCRIBE_CONFIGS, ALTER_CONFIGS = 32, 33


def batch(values, producer_id=-1, epoch=-1, sequence=-1, codec=0, timestamp=1700000000000):
    """The bytes of one record batch."""
    builder = DefaultRecordBatchBuilder(2, codec, False, producer_id, epoch, sequence, 1 << 20)
    for number, value in enumerate(values):
        builder.append(number, timestamp, None, value, [])
    return bytes(builder.build())


def text(value):
    if value is None:
        return struct.pack(">h", -1)
    value = value.encode()
    return struct.pack(">h", len(value)) + value


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.content, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def text(self):
        size = self.take("h")
        return None if size < 0 else self.raw(size).decode()

    def bytes(self):
        size = self.take("i")
        return b"" if size < 0 else self.raw(size)

    def raw(self, size):
        self.at += size
        return self.content[self.at - size:self.at]

    def array(self, item):
        return [item() for _ in range(max(self.take("i"), 0))]


class Client:
    def __init__(self, address, timeout=100):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0

    def close(self):
        self.socket.close()

    def send(self, key, version, body):
        self.number += 1
        frame = struct.pack(">hhi", key, version, self.number) + text("disk-test") + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self):
        size = struct.unpack(">i", self.receive_bytes(4))[0]
        return Reader(self.receive_bytes(size)[4:])

    def receive_bytes(self, size):
        content = bytearray()
        while len(content) < size:
            piece = self.socket.recv(size - len(content))
            if not piece:
                raise ConnectionError("the broker closed the connection")
            content += piece
        return bytes(content)

    def ask(self, key, version, body):
        self.send(key, version, body)
        return self.receive()

    def init_producer_id(self):
        answer = self.ask(INIT_PRODUCER_ID, 1, text(None) + struct.pack(">i", 60000))
        _, error, producer_id, epoch = answer.take("ihqh")
        return error, producer_id, epoch

    def send_produce(self, topic, partition, records, acks=-1):
        part = struct.pack(">ii", partition, len(records)) + records
        self.send(PRODUCE, 7, text(None) + struct.pack(">hi", acks, 30000)
                  + array([text(topic) + array([part])]))

    def receive_produce(self):
        """Error and base offset of the one partition."""
        answer = self.receive()
        topics = answer.array(lambda: (answer.text(), answer.array(lambda: answer.take("ihqqq"))))
        return topics[0][1][0][1:3]

    def produce(self, topic, partition, records, acks=-1):
        self.send_produce(topic, partition, records, acks)
        return self.receive_produce()

    def fetch(self, topic, partition, offset, bytes_max=1 << 20):
        """Error, high watermark, and the bytes of batches."""
        body = struct.pack(">iiiib", -1, 0, 1, bytes_max, 0) + array(
            [text(topic) + array([struct.pack(">iqi", partition, offset, bytes_max)])])
        answer = self.ask(FETCH, 4, body)
        answer.take("i")

        def part():
            _, error, watermark, _ = answer.take("ihqq")
            answer.array(lambda: answer.take("qq"))
            return error, watermark, answer.bytes()
        topics = answer.array(lambda: (answer.text(), answer.array(part)))
        return topics[0][1][0]

    def offset(self, topic, partition, timestamp):
        body = struct.pack(">i", -1) + array(
            [text(topic) + array([struct.pack(">iq", partition, timestamp)])])
        answer = self.ask(LIST_OFFSETS, 1, body)
        topics = answer.array(lambda: (answer.text(), answer.array(lambda: answer.take("ihqq"))))
        return topics[0][1][0][3]

    def read(self, topic, partition, start=-2):
        """All records, or those from `start` on, as (offset, value, leader epoch); every batch has the CRC that it says."""
        first = offset = self.offset(topic, partition, -2) if start < 0 else start
        records = []
        while True:
            error, watermark, content = self.fetch(topic, partition, offset)
            if error != 0:
                raise AssertionError(f"'{topic}-{partition}' cannot be read at {offset}: {error}")
            if not content:
                if offset != watermark:
                    raise AssertionError(f"'{topic}-{partition}' gives nothing at {offset} although "
                                         f"the high watermark is {watermark}")
                return records
            for each in batches(content):
                epoch = struct.unpack_from(">i", each._buffer, 12)[0]
                if not each.validate_crc():
                    raise AssertionError(f"'{topic}-{partition}' at {each.base_offset}: wrong CRC")
                records += [(one.offset, one.value, epoch) for one in each if one.offset >= first]
                offset = each.base_offset + each.last_offset_delta + 1

    def topics(self, names=None):
        """Name -> partition -> leader epoch."""
        body = (struct.pack(">i", -1) if names is None else array([text(n) for n in names])) + b"\0"
        answer = self.ask(METADATA, 7, body)
        answer.take("i")
        answer.array(lambda: (answer.take("i"), answer.text(), answer.take("i"), answer.text()))
        answer.text()
        answer.take("i")
        found = {}

        def part():
            _, index, _, epoch = answer.take("hiii")
            for _ in range(3):
                answer.array(lambda: answer.take("i"))
            return index, epoch

        def topic():
            error, name = answer.take("h"), answer.text()
            answer.take("b")
            parts = dict(answer.array(part))
            if error == 0:
                found[name] = parts
        answer.array(topic)
        return found

    def create_topic(self, name, partitions=1, configs=None):
        pairs = [text(key) + text(str(value)) for key, value in (configs or {}).items()]
        answer = self.ask(CREATE_TOPICS, 2, array(
            [text(name) + struct.pack(">ih", partitions, 1) + array([]) + array(pairs)])
            + struct.pack(">ib", 30000, 0))
        answer.take("i")
        return answer.array(lambda: (answer.text(), answer.take("h"), answer.text()))[0][1]

    def delete_topic(self, name):
        answer = self.ask(DELETE_TOPICS, 1, array([text(name)]) + struct.pack(">i", 30000))
        answer.take("i")
        return answer.array(lambda: (answer.text(), answer.take("h")))[0][1]

    def alter_configs(self, name, configs):
        pairs = [text(key) + text(str(value)) for key, value in configs.items()]
        answer = self.ask(ALTER_CONFIGS, 0, array([b"\2" + text(name) + array(pairs)]) + b"\0")
        answer.take("i")
        return answer.array(lambda: (answer.take("h"), answer.text(), answer.take("b"),
                                     answer.text()))[0][0]

    def config(self, name, key):
        answer = self.ask(DESCRIBE_CONFIGS, 0, array([b"\2" + text(name) + array([text(key)])]))
        answer.take("i")
        entry = lambda: (answer.text(), answer.text(), answer.take("bbb"))  # noqa: E731
        found = answer.array(lambda: (answer.take("h"), answer.text(), answer.take("b"),
                                      answer.text(), answer.array(entry)))
        return dict((one[0], one[1]) for one in found[0][4])[key]

    def delete_records(self, name, partition, offset):
        answer = self.ask(DELETE_RECORDS, 0, array(
            [text(name) + array([struct.pack(">iq", partition, offset)])]) + struct.pack(">i", 30000))
        answer.take("i")
        topics = answer.array(lambda: (answer.text(), answer.array(lambda: answer.take("iqh"))))
        return topics[0][1][0][2]

    def commit(self, group, topic, partition, offset):
        answer = self.ask(OFFSET_COMMIT, 2, text(group) + struct.pack(">i", -1) + text("")
                          + struct.pack(">q", -1) + array([text(topic) + array(
                              [struct.pack(">iq", partition, offset) + text("m")])]))
        return answer.array(lambda: (answer.text(), answer.array(lambda: answer.take("ih"))))[0][1][0][1]

    def committed(self, group, topic, partition):
        """Error and offset."""
        answer = self.ask(OFFSET_FETCH, 1, text(group) + array(
            [text(topic) + array([struct.pack(">i", partition)])]))
        part = lambda: (answer.take("iq"), answer.text(), answer.take("h"))  # noqa: E731
        (_, offset), _, error = answer.array(lambda: (answer.text(), answer.array(part)))[0][1][0]
        return error, offset


def batches(content):
    """The batches of a Fetch answer or of a .log file."""
    records = MemoryRecords(content)
    while records.has_next():
        yield records.next_batch()
