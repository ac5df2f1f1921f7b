"""Java's key stores as they are: JKS and PKCS12 that keytool wrote, for REST, for the clients of
connectors and for the HTTP sink. lib/keystore/README.md says what is in each.

usage: java_stores_test.py SLUICE [WORD…]
"""
import http.server
import os
import shutil
import socket
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

SLUICE = os.path.abspath(sys.argv[1])
STORES = os.path.join(HERE, "..", "..", "lib", "keystore", "stores")
WIDE = {"password": "größe 😀", "key.password": "schlüssel"}


def store(name):
    return os.path.join(STORES, name)


class Papers:
    """The same keys and certificates as PEM, for the strangers; and a chain of three."""

    def __enter__(self):
        if shutil.which("openssl") is None:
            raise Skip("openssl is not here: it reads the stores for the other side")
        self.folder = tempfile.mkdtemp(prefix="sluice-stores-")
        self.openssl("pkcs12", "-in", store("key17.p12"), "-passin", "pass:password", "-nodes",
                     "-out", "server.pem")
        self.openssl("pkcs12", "-in", store("trust17.p12"), "-passin", "pass:password", "-nokeys",
                     "-out", "signer.pem")
        self.make("root")
        self.make("middle", "-CA", "root.crt", "-CAkey", "root.key", "-addext",
                  "basicConstraints=critical,CA:TRUE")
        self.make("client", "-CA", "middle.crt", "-CAkey", "middle.key")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, timeout=120,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def make(self, name, *signed):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2",
                     "-subj", f"/CN={name}", *signed)

    def path(self, name):
        return os.path.join(self.folder, name)

    def line(self, *names):
        """PEM in one line, as in a .properties file."""
        texts = []
        for name in names:
            with open(self.path(name), encoding="utf-8") as file:
                texts.append(file.read())
        return " ".join("".join(texts).split("\n"))

    def server(self, asks_for=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.pem"))
        if asks_for is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path(asks_for))
        return context


class Tunnel:
    """TLS in front of a broker that has none; who came in is kept."""

    def __init__(self, context):
        self.context = context
        self.target = None
        self.names = set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        try:
            inside = self.context.wrap_socket(connection, server_side=True)
            subject = (inside.getpeercert() or {}).get("subject", ())
            self.names.update(value for part in subject for _, value in part)
            host, port = self.target.rsplit(":", 1)
            broker = socket.create_connection((host, int(port)))
        except OSError:
            connection.close()
            return
        threading.Thread(target=self.pump, args=[broker, inside], daemon=True).start()
        self.pump(inside, broker)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def curl(url, papers, *arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "60", "--cacert", papers.path("signer.pem"),
                           "-o", "/dev/null", "-w", "%{http_code}", *arguments, url],
                          capture_output=True, timeout=90, check=False)
    return done.stdout.decode()


@test
def rest_is_served_with_a_jks_store():
    with Papers() as papers, RunningWorker([SLUICE, "standalone"], {
            "listeners": "https://127.0.0.1:0", "ssl.client.auth": "required",
            "ssl.keystore.location": store("key.jks"), "ssl.keystore.password": WIDE["password"],
            "ssl.key.password": WIDE["key.password"],
            "ssl.truststore.location": store("trust.jks"), "ssl.truststore.password": "password"}) as w:
        check_equal(curl(w.sites[0][1], papers, "--cert", papers.path("server.pem")), "200")
        check_equal(curl(w.sites[0][1], papers), "000")


def lines_through(settings, papers, asks_for):
    """The lines of a file that went through a topic to another file, and who the broker saw."""
    with Tunnel(papers.server(asks_for)) as tunnel, RunningBroker(SLUICE, {
            "advertised.listeners": f"PLAINTEXT://{tunnel.address}"}) as broker:
        tunnel.target = broker.address
        with RunningWorker([SLUICE, "standalone"], {
                "bootstrap.servers": tunnel.address,
                **{f"{client}{key}": value for client in ("producer.", "consumer.", "admin.", "")
                   for key, value in {"security.protocol": "SSL", **settings}.items()}}) as worker:
            source, sink = (os.path.join(worker.folder, name) for name in ("in", "out"))
            with open(source, "w", encoding="utf-8") as file:
                file.write("one\ntwo\n")
            for name, kind, more in (("from", "Source", {"topic": "t", "file": source}),
                                     ("to", "Sink", {"topics": "t", "file": sink})):
                answer = worker.call("POST", "/connectors", {"name": name, "config": {
                    "connector.class": f"FileStream{kind}", **more}})
                check_equal((answer[0], answer[1].get("message")), (201, None))

            def written():
                if not os.path.exists(sink):
                    return ""
                with open(sink, encoding="utf-8") as file:
                    return file.read()
            until(lambda: written().count("\n") == 2,
                  lambda: f"{written()!r}\n{worker.state('from')}, {worker.state('to')}\n{worker.log()}")
            return written(), sorted(tunnel.names)


@test
def clients_of_connectors_use_jks_stores():
    with Papers() as papers:
        check_equal(lines_through({
            "ssl.truststore.location": store("trust.jks"), "ssl.truststore.password": "password",
            "ssl.keystore.location": store("key.jks"), "ssl.keystore.password": WIDE["password"],
            "ssl.key.password": WIDE["key.password"]}, papers, "signer.pem"),
            ("one\ntwo\n", ["localhost"]))


@test
def clients_of_connectors_use_old_pkcs12_stores():
    with Papers() as papers:
        check_equal(lines_through({
            "ssl.truststore.type": "PKCS12", "ssl.keystore.type": "PKCS12",
            "ssl.truststore.location": store("trust8.p12"), "ssl.truststore.password": "password",
            "ssl.keystore.location": store("key8.p12"), "ssl.keystore.password": "password",
            "ssl.key.password": "password"}, papers, "signer.pem"),
            ("one\ntwo\n", ["localhost"]))


@test
def a_client_shows_the_whole_chain_of_its_certificate():
    with Papers() as papers:
        check_equal(lines_through({
            "ssl.truststore.type": "PEM", "ssl.keystore.type": "PEM",
            "ssl.truststore.certificates": papers.line("signer.pem"),
            "ssl.keystore.key": papers.line("client.key"),
            "ssl.keystore.certificate.chain": papers.line("client.crt", "middle.crt")},
            papers, "root.crt"), ("one\ntwo\n", ["client"]))


@test
def tools_take_the_settings_of_javas_clients():
    with Papers() as papers, Tunnel(papers.server("signer.pem")) as tunnel, RunningBroker(SLUICE, {
            "advertised.listeners": f"PLAINTEXT://{tunnel.address}"}) as broker:
        tunnel.target = broker.address
        config = papers.path("client.properties")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"security.protocol=SSL\nssl.truststore.location={store('trust.jks')}\n"
                       f"ssl.truststore.password=password\nssl.keystore.location={store('key.jks')}\n"
                       f"ssl.keystore.password={WIDE['password']}\nssl.key.password={WIDE['key.password']}\n")
        def run(command, given, *more):
            done = subprocess.run([SLUICE, command, *more, "--bootstrap-server", tunnel.address,
                                   "--command-config", config], input=given, capture_output=True,
                                  timeout=90, check=False)
            if done.returncode != 0:
                raise AssertionError(f"{command}: {done.stderr}")
            return done.stdout
        run("produce", b"one\n", "t")
        check_equal(run("consume", b"", "t", "--from-beginning", "--max-messages", "1"), b"one\n")
        check_equal(sorted(tunnel.names), ["localhost"])


@test
def a_store_that_cannot_be_opened_fails_the_connector_with_the_reason():
    with RunningWorker([SLUICE, "standalone"]) as worker:
        worker.call("POST", "/connectors", {"name": "c", "config": {
            "connector.class": "FileStreamSource", "topic": "t", "file": "/dev/null",
            "producer.override.security.protocol": "SSL",
            "producer.override.ssl.truststore.location": store("trust.jks"),
            "producer.override.ssl.truststore.password": "wr0ng"}})

        def failed():
            _, status = worker.call("GET", "/connectors/c/status")
            states = [status["connector"]] + status["tasks"] if "connector" in status else []
            return next((state["trace"] for state in states if state["state"] == "FAILED"), None)
        trace = until(failed, worker.log)
        if "trust.jks' is not opened by ssl.truststore.password" not in trace or "wr0ng" in trace:
            raise AssertionError(trace)


@test
def the_http_sink_trusts_what_a_jks_store_trusts():
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with Papers() as papers, RunningBroker(SLUICE) as broker, RunningWorker(
            [SLUICE, "standalone"], {"bootstrap.servers": broker.address}) as worker:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = papers.server().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = os.path.join(worker.folder, "in")
        with open(source, "w", encoding="utf-8") as file:
            file.write("one\n")
        for config in ({"connector.class": "FileStreamSource", "topic": "t", "file": source},
                       {"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "t",
                        "http.url": f"https://127.0.0.1:{server.server_address[1]}/",
                        "http.authorization.type": "none",
                        "http.ssl.truststore.location": store("trust.jks"),
                        "http.ssl.truststore.password": "password"}):
            answer = worker.call("POST", "/connectors", {"name": config["connector.class"], "config": config})
            check_equal((answer[0], answer[1].get("message")), (201, None))
        until(lambda: seen, worker.log)
        server.shutdown()
        server.server_close()
    check_equal(seen, ["one"])


main(sys.argv[2:])
