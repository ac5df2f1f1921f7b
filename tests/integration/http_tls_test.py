"""The HTTP sink over TLS: a server whose signer is trusted gets the records, one that asks for a
certificate too; strangers on either side get nothing, and it is said why.

usage: http_tls_test.py SLUICE [WORD…]
"""
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
from running_broker import RunningBroker
from running_worker import RunningWorker, until
from tap import Skip, check_equal, main, test
from wire_client import Wire, record_batch

PROGRAM = sys.argv[1]


class Papers:
    """A signer, a server and a client that it signed, and a signer whom nobody knows."""

    def __enter__(self):
        if shutil.which("openssl") is None:
            raise Skip("openssl is not here: it makes the certificates")
        self.folder = tempfile.mkdtemp(prefix="sluice-tls-")
        self.make("signer", "/CN=signer")
        self.make("stranger", "/CN=stranger")
        for name, extension in (("server", "subjectAltName=IP:127.0.0.1"),
                                ("client", "extendedKeyUsage=clientAuth")):
            self.make(name, f"/CN={name}", "-CA", "signer.crt", "-CAkey", "signer.key", "-addext", extension,
                      "-addext", "basicConstraints=critical,CA:FALSE")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, name, subject, *signed):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2",
                        "-subj", subject, *signed], cwd=self.folder, check=True, timeout=120,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def path(self, name):
        return os.path.join(self.folder, name)


class Target:
    """An HTTPS server that keeps what it is sent, with who sent it."""

    def __init__(self, papers, asks):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer = self.connection.getpeercert() or {}
                names = [value for part in peer.get("subject", ()) for _, value in part]
                seen.append((body.decode(), names))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers.path("server.crt"), papers.path("server.key"))
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(papers.path("signer.crt"))

        class Server(http.server.ThreadingHTTPServer):
            def finish_request(self, request, client_address):
                try:  # The handshake is the thread's own.
                    with context.wrap_socket(request, server_side=True) as wrapped:
                        super().finish_request(wrapped, client_address)
                except OSError:
                    pass

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def state_of(worker):
    _, status = worker.call("GET", "/connectors/out/status")
    return status["tasks"][0] if status.get("tasks") else {"state": "", "trace": ""}


def run(asks, settings, judge):
    """A record to a target, with these settings of TLS; what judge(target, worker) gives."""
    with Papers() as papers, Target(papers, asks) as target, RunningBroker(PROGRAM) as broker, \
            RunningWorker([PROGRAM, "standalone"], {"bootstrap.servers": broker.address}) as worker:
        with Wire(broker.address) as wire:
            wire.create_topic("t", 1)
            wire.produce("t", 0, record_batch([b"one"]))
        config = {"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "t",
                  "http.url": target.url, "http.authorization.type": "none", "max.retries": "0",
                  "restart.policy": "never",
                  **{f"http.ssl.{key}": papers.path(name) for key, name in settings.items()}}
        status, answer = worker.call("POST", "/connectors", {"name": "out", "config": config})
        check_equal((status, answer.get("message")), (201, None))
        return judge(target, worker)


def delivered(target, worker):
    until(lambda: target.seen, lambda: str(state_of(worker)))
    return target.seen[0]


def refused(target, worker):
    task = until(lambda: next((task for task in [state_of(worker)] if task["state"] == "FAILED"), None),
                 lambda: str(state_of(worker)))
    check_equal(target.seen, [])
    return task["trace"]


CLIENT = {"certificate.location": "client.crt", "key.location": "client.key"}


@test
def a_server_whose_signer_is_trusted_gets_the_records():
    check_equal(run(False, {"ca.location": "signer.crt"}, delivered), ("one", []))


@test
def a_server_that_asks_for_a_certificate_gets_it():
    check_equal(run(True, {"ca.location": "signer.crt", **CLIENT}, delivered), ("one", ["client"]))


@test
def a_server_that_somebody_else_signed_gets_nothing():
    trace = run(False, {"ca.location": "stranger.crt"}, refused)
    if "certificate" not in trace:
        raise AssertionError(trace)


@test
def a_server_that_asks_for_a_certificate_takes_nothing_without():
    run(True, {"ca.location": "signer.crt"}, refused)


main(sys.argv[2:])
