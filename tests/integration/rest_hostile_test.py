"""Clients that mean harm, or are broken, at the worker's REST interface: large bodies, slow ones,
many connections, requests that are none. Whatever they do, others are answered, and memory has a
limit.

usage: rest_hostile_test.py SLUICE [WORD…]
"""
import http.client
import json
import os
import re
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_worker import LIMIT_SECONDS, RunningWorker, until
from tap import Skip, check_equal, main, test

SLUICE = os.path.abspath(sys.argv[1])
MIB = 1024 * 1024


def worker(settings=None):
    return RunningWorker([SLUICE, "standalone"], settings)


def connect(w, small=False):
    client = socket.socket()
    client.settimeout(LIMIT_SECONDS)
    if small:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", w.port))
    return client


def read_all(client):
    """What comes until the other side closes."""
    got = b""
    try:
        while True:
            more = client.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionResetError:
        return got


def exchange(w, request):
    """All that comes for these bytes, until the other side has closed."""
    with connect(w) as client:
        client.sendall(request)
        return read_all(client)


def statuses(answer):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def memory_mib(w, field="VmHWM"):
    with open(f"/proc/{w.process.pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    raise AssertionError(f"no {field}")


def check_others(w, count=10):
    """Others are answered; how fast is told, since it is no promise on a loaded machine."""
    times = []
    for _ in range(count):
        before = time.monotonic()
        check_equal(w.call("GET", "/connectors"), (200, []))
        times.append(time.monotonic() - before)
    times.sort()
    print(f"# others: median {times[count // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms")


def allow_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Skip(f"only {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def send_large(client, head, size, chunked):
    block = b"x" * MIB
    client.sendall(head)
    for _ in range(size // MIB):
        client.sendall(b"%x\r\n%s\r\n" % (MIB, block) if chunked else block)
    if chunked:
        client.sendall(b"0\r\n\r\n")


HEAD = b"POST /connectors HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nConnection: close\r\n"


@test
def a_body_of_100_mb_is_refused_and_not_kept():
    with worker() as w:
        check_others(w, 1)
        before = memory_mib(w)
        for chunked, more in ((False, b"Content-Length: %d\r\n\r\n" % (100 * MIB)),
                              (True, b"Transfer-Encoding: chunked\r\n\r\n")):
            with connect(w) as client:
                send_large(client, HEAD + more, 100 * MIB, chunked)
                answer = read_all(client)
            check_equal(statuses(answer), [413])
            check_equal(json.loads(answer.split(b"\r\n\r\n", 1)[1]),
                        {"error_code": 413, "message": "The body has more than 8 MiB"})
        grown = memory_mib(w) - before
        print(f"# the worker grew by {grown:.0f} MiB")
        check_equal(grown < 90, True)
        check_others(w, 1)


@test
def who_asks_before_he_sends_is_told_at_once():
    with worker() as w, connect(w) as client:
        client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (100 * MIB))
        check_equal(statuses(read_all(client)), [413])


@test
def bodies_that_are_too_large_together_are_refused():
    with worker() as w:
        before = memory_mib(w)
        head = HEAD + b"Content-Length: %d\r\n\r\n" % (7 * MIB)
        clients = [connect(w) for _ in range(12)]
        for client in clients:
            client.sendall(head + b" " * (7 * MIB - 2))
        check_others(w)
        got = []
        for client in clients:
            client.sendall(b"{}")
            got += statuses(read_all(client))
            client.close()
        # The first ones have room; what they hold no others can have.
        print(f"# {got.count(503)} of {len(got)} found no room, the worker grew by "
              f"{memory_mib(w) - before:.0f} MiB")
        check_equal(len(got), 12)
        check_equal(set(got), {500, 503})
        check_equal(got.count(503) >= 1, True)
        # Room is given back.
        with connect(w) as client:
            client.sendall(head + b" " * (7 * MIB - 2) + b"{}")
            check_equal(statuses(read_all(client)), [500])


@test
def five_hundred_connections_keep_nobody_out():
    allow_files(2048)
    with worker() as w:
        begun = [b"", b"G", b"GET /connectors HTTP/1.1\r\nHost: w\r\n",
                 b"PUT /connectors/c/config HTTP/1.1\r\nHost: w\r\nContent-Length: 9\r\n\r\n{"]
        clients = [connect(w) for _ in range(500)]
        for number, client in enumerate(clients):
            client.sendall(begun[number % len(begun)])
        check_others(w, 50)
        # They go on, a byte at a time, while others ask.
        for client in clients[2::4]:
            client.sendall(b"X")
        check_others(w, 50)
        # And all that were begun well are answered at last.
        for client in clients[2::4]:
            client.sendall(b"-Slow: yes\r\nConnection: close\r\n\r\n")
        for client in clients[2::4]:
            check_equal(statuses(read_all(client)), [200])
        for client in clients:
            client.close()


@test
def who_has_kept_a_connection_for_the_longest_time_makes_room():
    allow_files(4096)
    with worker() as w:
        clients = []
        for _ in range(1500):
            client = connect(w)
            client.sendall(b"GET /connectors HTTP/1.1\r\nHost: w\r\n")
            clients.append(client)
        check_others(w, 20)
        ended = until(lambda: len(select_ended(clients)) >= 500 and select_ended(clients))
        first_alive = min(set(range(1500)) - ended)
        print(f"# {len(ended)} of 1500 were ended, the first that was not is number {first_alive}")
        # In their order: but for the few that asked.
        check_equal(ended, set(range(len(ended))))
        clients[-1].sendall(b"Connection: close\r\n\r\n")
        check_equal(statuses(read_all(clients[-1])), [200])
        for client in clients:
            client.close()


def select_ended(clients):
    """The numbers of those that the other side has closed."""
    poll = select.poll()
    numbers = {client.fileno(): number for number, client in enumerate(clients)}
    for client in clients:
        poll.register(client, select.POLLIN)
    return {numbers[fd] for fd, _ in poll.poll(0)}


@test
def who_does_not_read_keeps_nobody_out():
    with worker() as w:
        status, _, content = w.request("GET", "/connector-plugins?connectorsOnly=false")
        check_equal(status, 200)
        ask = b"GET /connector-plugins?connectorsOnly=false HTTP/1.1\r\nHost: w\r\n\r\n"
        clients = [connect(w, small=True) for _ in range(200)]
        for client in clients:
            client.sendall(ask * 100)
        check_others(w, 20)
        print(f"# {len(content)} bytes an answer, the worker has {memory_mib(w, 'VmRSS'):.0f} MiB")
        for client in clients:
            client.close()
        check_others(w, 1)


@test
def requests_in_a_row_are_answered_in_their_order():
    paths = ["/connectors", "/nope", "/connectors/c", "/health"] * 25
    wanted = [200, 404, 404, 200] * 25
    with worker() as w:
        row = b"".join(f"GET {path} HTTP/1.1\r\nHost: w\r\n\r\n".encode() for path in paths)
        with connect(w) as client:
            client.sendall(row + b"GET / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n")
            check_equal(statuses(read_all(client)), wanted + [200])


@test
def who_has_sent_all_and_closed_his_side_is_answered():
    with worker() as w:
        body = b'{"connector.class": "FileStreamSource"}'
        ask = (b"PUT /connector-plugins/FileStreamSource/config/validate HTTP/1.1\r\nHost: w\r\n"
               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        for request in (b"GET /connectors HTTP/1.1\r\nHost: w\r\n\r\n", ask):
            with connect(w) as client:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                got = b""
                while b"\r\n\r\n" not in got:
                    more = client.recv(65536)
                    check_equal(more != b"", True)
                    got += more
                check_equal(statuses(got), [200])
        # And who goes away while his answer is made takes nothing with him.
        for _ in range(50):
            client = connect(w)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(ask)
            client.close()
        check_others(w, 1)


CLOSE = b"Host: w\r\nConnection: close\r\n"
CHUNKED = b"POST /connectors HTTP/1.1\r\nContent-Type: application/json\r\n" + CLOSE + \
          b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /connectors HTTP/1.1\r\n" + CLOSE

# What is no request, and what it may get: 0 is the end of the connection without an answer.
NONSENSE = [
    (b"\xff" * 100 + b"\r\n\r\n", {0, 400}), (b"GET\r\n\r\n", {0, 400}),
    (b"GET /connectors\r\n\r\n", {0, 400}), (b"GET /connectors HTTP/9.9\r\nHost: w\r\n\r\n", {505}),
    (b"GET /connectors HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
    (b"GET " + b"/a" * 50000 + b" HTTP/1.1\r\nHost: w\r\n\r\n", {0, 414}),
    (b"A" * 100000 + b" / HTTP/1.1\r\nHost: w\r\n\r\n", {0, 414, 431}),
    (GET + b"X: " + b"y" * MIB + b"\r\n\r\n", {0, 431}), (GET + b"X: y\r\n" * 100000 + b"\r\n", {0, 431}),
    (GET + b"X" * 100000 + b": y\r\n\r\n", {0, 431}), (GET + b"X\r\n\r\n", {0, 400}),
    (GET + b": y\r\n\r\n", {0, 200, 400}), (GET + b"X: a\0b\r\n\r\n", {0, 200, 400}),
    (GET + b"X\0: y\r\n\r\n", {0, 400}), (GET + b"Content-Length: -1\r\n\r\n", {400}),
    (GET + b"Content-Length: 9" + b"9" * 40 + b"\r\n\r\n", {400, 413}),
    (GET + b"Content-Length: abc\r\n\r\n", {400}),
    (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
    (GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n", {400}),
    (CHUNKED + b"zz\r\nab\r\n0\r\n\r\n", {0, 400}), (CHUNKED + b"-1\r\n\r\n", {0, 400}),
    (CHUNKED + b"f" * 40 + b"\r\n", {0, 400, 413}), (CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n", {0, 400}),
    (CHUNKED + b"\r\n\r\n", {0, 400}), (CHUNKED + b"2;" + b"x" * 100000, {0, 400, 413, 431, 500}),
    (CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"y" * 100000 + b"\r\n\r\n", {0, 431, 500}),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 505}), (b"OPTIONS * HTTP/1.1\r\n" + CLOSE + b"\r\n", {400}),
    (b"GET http://w/connectors HTTP/1.1\r\n" + CLOSE + b"\r\n", {200}),
    (b"GET http://w HTTP/1.1\r\n" + CLOSE + b"\r\n", {200}),
    (b"GET HTTP://w?expand=x HTTP/1.1\r\n" + CLOSE + b"\r\n", {200, 400}),
    (b"CONNECT w:80 HTTP/1.1\r\n" + CLOSE + b"\r\n", {400}),
]
# Of these more may come, for all that anybody knows.
UNFINISHED = [b"\0" * 1000, b"\r\n" * 10, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", CHUNKED + b"5\r\n{}",
              GET + b"X: y\r\n folded\r\n"]


@test
def what_is_no_request_is_refused_or_ended():
    with worker() as w:
        unfinished = [connect(w) for _ in UNFINISHED]
        for client, piece in zip(unfinished, UNFINISHED):
            client.sendall(piece)
        for piece, allowed in NONSENSE:
            try:
                got = set(statuses(exchange(w, piece))) or {0}
            except (BrokenPipeError, ConnectionResetError):
                got = {0}  # Ended while it was still being sent.
            if not got <= allowed:
                raise AssertionError(f"{piece[:80]!r}...{piece[-40:]!r} gets {got}, not {allowed}")
        check_others(w, 1)
        for client in unfinished:
            client.close()


@test
def a_head_that_may_mean_two_things_is_refused():
    cases = [
        (GET + b"Host: other\r\n\r\n", 400, "Duplicate Host Header"),
        (b"GET /connectors HTTP/1.1\r\nConnection: close\r\nHost:\r\n\r\n", 400, "Blank Host"),
        (GET + b"X: a\x01b\r\n\r\n", 400, "Illegal character in a header"),
        (GET + b"Content-Type: text/plain\r\nContent-Type: application/json\r\n\r\n", 400,
         "HTTP 400 Bad Request"),
        (GET + b"Expect: more\r\n\r\n", 417, "HTTP 417 Expectation Failed"),
        (GET.replace(b"1.1", b"1.2") + b"\r\n", 505, "Unknown Version"),
        (GET + b"Accept: text/html\r\nAccept: text/plain\r\n\r\n", 406, "HTTP 406 Not Acceptable")]
    with worker() as w:
        for request, status, message in cases:
            answer = exchange(w, request)
            check_equal((statuses(answer), json.loads(answer.split(b"\r\n\r\n", 1)[1])),
                        ([status], {"error_code": status, "message": message}))
        check_others(w, 1)


@test
def what_is_asked_for_in_parts_is_one_list():
    cases = [(b"Accept: text/html\r\nAccept: application/json\r\n", b"application/json"),
             (b"Accept: text/html, application/json;q=0.5; charset=UTF-8\r\n",
              b"application/json;charset=utf-8"),
             (b"Accept: application/json;charset=latin1\r\n", b"application/json"),
             (b"Accept: */*;charset=utf-8\r\n", b"application/json")]
    with worker() as w:
        for headers, kind in cases:
            for path in (b"/connectors", b"/connectors#part", b"/connectors?x=y#part"):
                answer = exchange(w, b"GET " + path + b" HTTP/1.1\r\n" + CLOSE + headers + b"\r\n")
                check_equal((statuses(answer), answer.split(b"\r\n\r\n", 1)[1]), ([200], b"[]"))
                check_equal(re.search(rb"Content-Type: ([^\r]*)", answer).group(1), kind)


@test
def strange_paths_are_no_names():
    with worker() as w:
        for path, wanted in (("/connectors/%00", 400), ("/connectors/a%00b/status", 400),
                             ("/connectors/%c0%af", 400), ("/connectors/%c0%ae%c0%ae/status", 400),
                             ("/connectors/%ff", 400), ("/connectors/%ed%a0%80", 400),
                             ("/connectors/%", 400), ("/connectors/%2", 400), ("/connectors/%zz", 400),
                             ("/connectors/..%2f..%2fetc", 404), ("/connectors/%2e%2e/%2e%2e", 404),
                             ("/connectors/%252e", 404), ("/%63onnectors", 200),
                             ("/connectors?expand=%00", 200), ("/connectors?%ff=%ff&expand=%c0", 200)):
            status, _, content = w.request("GET", path)
            if status != wanted or not content:
                raise AssertionError(f"{path}: {status} {content!r}, wanted {wanted}")
        raw = exchange(w, b"GET /connectors/\xc0\xaf\x80 HTTP/1.1\r\n" + CLOSE + b"\r\n")
        check_equal(statuses(raw), [400])


@test
def a_handshake_that_does_not_come_keeps_nobody_out():
    with tempfile.TemporaryDirectory(prefix="sluice-hostile-") as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key", "-out", "crt", "-days",
                        "2", "-subj", "/CN=localhost"], cwd=folder, check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=120)
        with open(f"{folder}/both", "wb") as both:
            for name in ("key", "crt"):
                with open(f"{folder}/{name}", "rb") as part:
                    both.write(part.read())
        with worker({"listeners": "https://127.0.0.1:0",
                     "ssl.keystore.location": f"{folder}/both"}) as w:
            clients = [connect(w) for _ in range(100)]
            for number, client in enumerate(clients):
                client.sendall([b"", b"\x16\x03\x01\x02\x00\x01", GET + b"\r\n", b"\0" * 500][number % 4])
            context = ssl.create_default_context(cafile=f"{folder}/crt")
            context.check_hostname = False
            for _ in range(5):
                connection = http.client.HTTPSConnection("127.0.0.1", w.port, timeout=LIMIT_SECONDS,
                                                         context=context)
                connection.request("GET", "/connectors")
                check_equal(connection.getresponse().read(), b"[]")
                connection.close()
            for client in clients:
                client.close()


main(sys.argv[2:])
