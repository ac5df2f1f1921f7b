"""A PostgreSQL server that says what a test wants: enough of the protocol for the source to begin to stream,
and from then on the test's own bytes.

    with ScriptedPostgres([begin(1), relation(), insert("1"), commit(1)]) as server:
        run(…, f"database.port={server.port}")

Each session streams the next of `scripts`, the last one again and again. An item of a script is the content of
a CopyData message; Raw(bytes) goes to the socket as it is, and CLOSE closes it; a function is called, and may wait.
An answer may be a function that gives it.
"""
import socket
import struct
import threading

CLOSE = object()


class Raw(bytes):
    pass


def message(kind, content=b""):
    return kind + struct.pack("!i", len(content) + 4) + content


def text(value):
    return value.encode() + b"\0"


def wal(payload, start=0x200, end=None):
    return b"w" + struct.pack("!QQq", start, start if end is None else end, 0) + payload


def keepalive(end, reply=False):
    return b"k" + struct.pack("!QqB", end, 0, reply)


def begin(final, xid=7):
    return wal(b"B" + struct.pack("!Qqi", final, 0, xid), 0)


def commit(final, end):
    return wal(b"C" + struct.pack("!BQQq", 0, final, end, 0), end)


def relation(oid=1, name="t", columns=(("id", 23),), schema="public"):
    parts = b"".join(struct.pack("!B", 1) + text(column) + struct.pack("!Ii", kind, -1) for column, kind in columns)
    return wal(b"R" + struct.pack("!I", oid) + text(schema) + text(name) + b"d" + struct.pack("!h", len(columns)) + parts, 0)


def row(kind, oid, *values):
    cells = b"".join(b"n" if v is None else b"t" + struct.pack("!i", len(v)) + v for v in values)
    return wal(kind + struct.pack("!I", oid) + b"N" + struct.pack("!h", len(values)) + cells)


def insert(*values, oid=1):
    return row(b"I", oid, *values)


def rows(*lines):
    """The answer to a query; all columns are texts."""
    out = b""
    if lines:
        names = b"".join(text(f"c{i}") + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0) for i in range(len(lines[0])))
        out = message(b"T", struct.pack("!h", len(lines[0])) + names)
    for line in lines:
        cells = b"".join(struct.pack("!i", -1) if cell is None else struct.pack("!i", len(cell)) + cell.encode()
                         for cell in line)
        out += message(b"D", struct.pack("!h", len(line)) + cells)
    if not lines:
        out = message(b"T", struct.pack("!h", 0))
    return out + message(b"C", text(f"SELECT {len(lines)}"))


ANSWERS = [("wal_sender_timeout", rows(["logical", "0", "f"])),
           ("puballtables", rows(["t", "f"])),
           ("IDENTIFY_SYSTEM", rows(["7000000000000000001", "1", "0/1000", "postgres"])),
           ("active_pid", rows(["pgoutput", "postgres", None, "0/100", "t", "0"])),
           ("pg_current_wal_flush_lsn", rows(["0/1000"]))]


class ScriptedPostgres:
    def __init__(self, *scripts, answers=()):
        self.scripts = list(scripts)
        self.answers = [*answers, *ANSWERS]
        self.statuses = []  # (written, flushed) of what the client told.
        self.sessions = 0
        self.asks = 0  # How often the client wanted an answer.
        self.answers_asks = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            self.speak(client)
        except (OSError, EOFError):
            pass
        finally:
            client.close()

    def take(self, client, count):
        data = b""
        while len(data) < count:
            part = client.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def speak(self, client):
        while True:
            size = struct.unpack("!i", self.take(client, 4))[0]
            content = self.take(client, size - 4)
            if content[:4] == struct.pack("!i", 196608):
                break
            client.sendall(b"N")  # No TLS.
        client.sendall(message(b"R", struct.pack("!i", 0)) +
                       b"".join(message(b"S", text(name) + text(value)) for name, value in
                                (("server_version", "15.0"), ("client_encoding", "UTF8"),
                                 ("standard_conforming_strings", "on"))) +
                       message(b"K", struct.pack("!ii", 1, 1)) + message(b"Z", b"I"))
        while True:
            kind, size = struct.unpack("!ci", self.take(client, 5))
            content = self.take(client, size - 4)
            if kind == b"X":
                return
            sql = content[:-1].decode()
            if kind == b"Q" and sql.startswith("START_REPLICATION"):
                self.stream(client)
                return
            answer = next((answer for word, answer in self.answers if word in sql), rows())
            client.sendall((answer() if callable(answer) else answer) + message(b"Z", b"I"))

    def stream(self, client):
        script = self.scripts[min(self.sessions, len(self.scripts) - 1)]
        self.sessions += 1
        client.sendall(message(b"W", struct.pack("!bh", 0, 0)))
        for item in script:
            if item is CLOSE:
                return
            if callable(item):
                item()
            else:
                client.sendall(item if isinstance(item, Raw) else message(b"d", item))
        while True:  # And then it listens.
            kind, size = struct.unpack("!ci", self.take(client, 5))
            content = self.take(client, size - 4)
            if kind == b"d" and content[:1] == b"r":
                self.statuses.append(struct.unpack("!QQ", content[1:17]))
                if content[33]:
                    self.asks += 1
                    if self.answers_asks:
                        client.sendall(message(b"d", keepalive(0)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
