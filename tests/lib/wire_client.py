"""A small Kafka client that does exactly what it is told: no retries, no background, no guessing.

    with Wire(address) as wire:
        wire.create_topic("t", 1, {"segment.bytes": "65536"})
        offset = wire.produce("t", 0, record_batch([b"one", b"two"]), acks=-1)
        answer = wire.fetch("t", 0, offset)

A socket that fails or closes raises Gone: what was asked may have happened or not. An error code
raises Refused: it did not happen. Non-flexible versions throughout; batches plain or gzip.
"""
import socket
import struct
import time
import zlib

PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH = 0, 1, 2, 3, 8, 9
API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS, INIT_PRODUCER_ID = 18, 19, 20, 21, 22
EARLIEST, LATEST = -2, -1
OFFSET_OUT_OF_RANGE = 1


class Gone(Exception):
    """The connection ended before the answer came."""


class Refused(Exception):
    """The broker answered with an error code."""

    def __init__(self, code, what):
        super().__init__(f"{what}: error {code}")
        self.code = code


# ---- Bytes ----------------------------------------------------------------------------------


def text(value):
    raw = value.encode()
    return struct.pack(">h", len(raw)) + raw


def sized(raw):
    return struct.pack(">i", len(raw)) + raw


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    def __init__(self, raw, at=0):
        self.raw, self.at = raw, at

    def take(self, form):
        values = struct.unpack_from(">" + form, self.raw, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def text(self):
        size = self.take("h")
        return None if size < 0 else self.bytes(size).decode()

    def bytes(self, size):
        self.at += size
        return self.raw[self.at - size:self.at]

    def varint(self):
        shift = value = 0
        while True:
            byte = self.raw[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def times(self, one):
        return [one() for _ in range(self.take("i"))]


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc32c_table()


def crc32c(raw):
    crc, table = 0xFFFFFFFF, CRC_TABLE
    for byte in raw:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


# ---- Record batches -------------------------------------------------------------------------


def record(delta, value):
    body = b"\0\0" + varint(delta) + varint(-1) + varint(len(value)) + value + b"\0"
    return varint(len(body)) + body


def record_batch(values, producer_id=-1, epoch=-1, sequence=-1, now_ms=None):
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    body = struct.pack(">hiqqqhii", 0, len(values) - 1, now_ms, now_ms, producer_id, epoch, sequence,
                       len(values)) + b"".join(record(i, value) for i, value in enumerate(values))
    return struct.pack(">qiibI", 0, len(body) + 9, 0, 2, crc32c(body)) + body


def inflate(attributes, body):
    if attributes & 7 == 0:
        return body
    if attributes & 7 == 1:
        return zlib.decompress(body, 31)
    raise ValueError(f"codec {attributes & 7} is not read here")


def sized_or_none(reader):
    size = reader.varint()
    return None if size < 0 else reader.bytes(size)


def read_records(raw):
    """(offset, value) of each record of whole batches; a cut one at the end is left out."""
    return [(offset, value) for offset, _, value, _ in read_whole_records(raw)]


def read_whole_records(raw):
    """The same with keys and headers: (offset, key, value, {name: value})."""
    at, found = 0, []
    while at + 12 <= len(raw):
        base, size = struct.unpack_from(">qi", raw, at)
        if at + 12 + size > len(raw):
            break
        attributes, = struct.unpack_from(">h", raw, at + 21)
        count, = struct.unpack_from(">i", raw, at + 57)
        inner = Reader(inflate(attributes, raw[at + 61:at + 12 + size]))
        for _ in range(count):
            end = inner.varint() + inner.at
            inner.at += 1
            inner.varint()
            delta = inner.varint()
            key, value = sized_or_none(inner), sized_or_none(inner)
            headers = {inner.bytes(inner.varint()).decode(): sized_or_none(inner)
                       for _ in range(inner.varint())}
            found.append((base + delta, key, value, headers))
            inner.at = end
        at += 12 + size
    return found


# ---- The client -----------------------------------------------------------------------------


class FetchAnswer:
    def __init__(self, code, high, stable, low, raw):
        self.code, self.high, self.stable, self.low, self.raw = code, high, stable, low, raw

    def records(self, since):
        return [(offset, value) for offset, value in read_records(self.raw) if offset >= since]


def frame(key, version, correlation, body, client="wire"):
    return sized(struct.pack(">hhi", key, version, correlation) + text(client) + body)


class Wire:
    def __init__(self, address, timeout=120, receive_buffer=None):
        host, port = address.rsplit(":", 1)
        self.correlation = 0
        self.socket = socket.socket()
        try:
            self.socket.settimeout(timeout)
            if receive_buffer is not None:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.socket.connect((host, int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as why:
            self.socket.close()
            raise Gone(str(why)) from why

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.close()

    def send(self, key, version, body):
        self.correlation += 1
        self.send_raw(frame(key, version, self.correlation, body))
        return self.correlation

    def send_raw(self, raw):
        try:
            self.socket.sendall(raw)
        except OSError as why:
            raise Gone(str(why)) from why

    def receive_exactly(self, size):
        parts = []
        while size > 0:
            try:
                part = self.socket.recv(min(size, 1 << 20))
            except OSError as why:
                raise Gone(str(why)) from why
            if not part:
                raise Gone("closed")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(self, correlation):
        size, = struct.unpack(">i", self.receive_exactly(4))
        reader = Reader(self.receive_exactly(size))
        got = reader.take("i")
        if got != correlation:
            raise AssertionError(f"the answer to {got} came instead of that to {correlation}")
        return reader

    def ask(self, key, version, body):
        return self.receive(self.send(key, version, body))

    # -- Records

    @staticmethod
    def produce_body(topic, partition, batch, acks):
        return (struct.pack(">hhii", -1, acks, 10000, 1) + text(topic)
                + struct.pack(">ii", 1, partition) + sized(batch))

    @staticmethod
    def read_produce(reader):
        reader.take("i")
        reader.text()
        _, _, code, offset, _, _ = reader.take("iihqqq")
        if code != 0:
            raise Refused(code, "produce")
        return offset

    def produce(self, topic, partition, batch, acks=-1):
        """The base offset; None with acks=0."""
        asked = self.send(PRODUCE, 7, self.produce_body(topic, partition, batch, acks))
        return None if acks == 0 else self.read_produce(self.receive(asked))

    @staticmethod
    def fetch_body(topic, partition, offset, max_bytes=1 << 20, wait_ms=0, min_bytes=1):
        return (struct.pack(">iiiibi", -1, wait_ms, min_bytes, max_bytes, 0, 1) + text(topic)
                + struct.pack(">iiqqi", 1, partition, offset, -1, max_bytes))

    def fetch(self, topic, partition, offset, max_bytes=1 << 20, wait_ms=0, min_bytes=1):
        reader = self.ask(FETCH, 5, self.fetch_body(topic, partition, offset, max_bytes, wait_ms,
                                                    min_bytes))
        reader.take("ii")
        reader.text()
        _, _, code, high, stable, low = reader.take("iihqqq")
        reader.times(lambda: reader.take("qq"))
        return FetchAnswer(code, high, stable, low, reader.bytes(max(reader.take("i"), 0)))

    def offset_at(self, topic, partition, when):
        reader = self.ask(LIST_OFFSETS, 1, struct.pack(">ii", -1, 1) + text(topic)
                          + struct.pack(">iiq", 1, partition, when))
        reader.take("i")
        reader.text()
        _, _, code, _, offset = reader.take("iihqq")
        if code != 0:
            raise Refused(code, "list offsets")
        return offset

    def init_producer_id(self):
        reader = self.ask(INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 60000))
        _, code, producer_id, epoch = reader.take("ihqh")
        if code != 0:
            raise Refused(code, "init producer id")
        return producer_id, epoch

    def delete_records(self, topic, partition, offset):
        reader = self.ask(DELETE_RECORDS, 0, struct.pack(">i", 1) + text(topic)
                          + struct.pack(">iiqi", 1, partition, offset, 10000))
        reader.take("ii")
        reader.text()
        _, _, low, code = reader.take("iiqh")
        if code != 0:
            raise Refused(code, "delete records")
        return low

    # -- Topics

    def create_topic(self, name, partitions, configs=None):
        pairs = (configs or {}).items()
        body = (struct.pack(">i", 1) + text(name) + struct.pack(">ihii", partitions, 1, 0, len(pairs))
                + b"".join(text(key) + text(value) for key, value in pairs)
                + struct.pack(">ib", 10000, 0))
        reader = self.ask(CREATE_TOPICS, 2, body)
        reader.take("ii")
        reader.text()
        code = reader.take("h")
        if code != 0:
            raise Refused(code, f"create topic '{name}'")

    def delete_topic(self, name):
        reader = self.ask(DELETE_TOPICS, 1, struct.pack(">i", 1) + text(name)
                          + struct.pack(">i", 10000))
        reader.take("ii")
        reader.text()
        code = reader.take("h")
        if code != 0:
            raise Refused(code, f"delete topic '{name}'")

    def topics(self):
        """The names of all topics."""
        reader = self.ask(METADATA, 1, struct.pack(">i", -1))
        reader.times(lambda: (reader.take("i"), reader.text(), reader.take("i"), reader.text()))
        reader.take("i")

        def partition():
            reader.take("hii")
            reader.times(lambda: reader.take("i"))
            reader.times(lambda: reader.take("i"))

        def topic():
            reader.take("h")
            name = reader.text()
            reader.take("b")
            reader.times(partition)
            return name

        return set(reader.times(topic))

    # -- Offsets of groups

    def commit(self, group, topic, partition, offset):
        reader = self.ask(OFFSET_COMMIT, 2, text(group) + struct.pack(">i", -1) + text("")
                          + struct.pack(">qi", -1, 1) + text(topic)
                          + struct.pack(">iiq", 1, partition, offset) + text(""))
        reader.take("i")
        reader.text()
        _, _, code = reader.take("iih")
        if code != 0:
            raise Refused(code, "commit")

    def committed(self, group, topic, partition):
        """The committed offset, -1 for none."""
        reader = self.ask(OFFSET_FETCH, 1, text(group) + struct.pack(">i", 1) + text(topic)
                          + struct.pack(">ii", 1, partition))
        reader.take("i")
        reader.text()
        _, _, offset = reader.take("iiq")
        reader.text()
        code = reader.take("h")
        if code != 0:
            raise Refused(code, "committed offset")
        return offset
