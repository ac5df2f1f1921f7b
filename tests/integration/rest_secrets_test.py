"""Passwords are planted wherever there can be some, everything that might tell one is driven, and
then they are looked for: in answers, logs, traces, metrics, command lines and environments.

usage: rest_secrets_test.py SLUICE [WORD…]
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_broker import RunningBroker
from running_worker import RunningWorker, until
from tap import check_equal, main, test

SLUICE = os.path.abspath(sys.argv[1])
EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
MODULE = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule"
PROVIDERS = "org.apache.kafka.common.config.provider."


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, and tells what it was sent."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"refused: {dict(self.headers)} {body.decode()}".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_PUT = do_POST

    def log_message(self, *_):
        pass


class Planted:
    """Everything with its secrets: a broker, an HTTP server that echoes, a worker."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-secrets-")
        self.referred, self.literal = {}, {}
        os.mkdir(self.path("secrets.d"))
        with open(self.path("secrets.d/pw"), "w", encoding="utf-8") as file:
            file.write(self.refer("${dir:" + self.path("secrets.d") + ":pw}", "Pl4nted-dir") + "\n")
        with open(self.path("file.properties"), "w", encoding="utf-8") as file:
            for key in ("pw", "path", "number", "class", "worker"):
                reference = "${file:" + self.path("file.properties") + ":" + key + "}"
                file.write(f"{key}={self.refer(reference, f'Pl4nted-file-{key}')}\n")
        self.write("users.properties", f"joe={self.plant('Pl4nted-user')}\n")
        self.write("jaas.conf",
                   f'KafkaConnect {{ {MODULE} required file="{self.path("users.properties")}"; }};\n')
        os.environ["SECRET_OF_TEST"] = self.refer("${env:SECRET_OF_TEST}", "Pl4nted-env")
        self.echo = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.echo.serve_forever, daemon=True).start()
        self.broker = RunningBroker(SLUICE)
        self.worker = RunningWorker([SLUICE, "standalone"], {
            "bootstrap.servers": self.broker.address,
            "rest.extension.classes": EXTENSION,
            "java.security.auth.login.config": self.path("jaas.conf"),
            "config.providers": "file,dir,env",
            "config.providers.file.class": PROVIDERS + "FileConfigProvider",
            "config.providers.file.param.allowed.paths": self.folder,
            "config.providers.dir.class": PROVIDERS + "DirectoryConfigProvider",
            "config.providers.env.class": PROVIDERS + "EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": "SECRET_OF_.*",
            "ssl.key.password": self.plant("Pl4nted-worker-key"),
            "ssl.keystore.password": "${file:" + self.path("file.properties") + ":worker}",
            "producer.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule "
            f'required username="u" password="{self.plant("Pl4nted-worker-jaas")}";',
            "restart.policy": "never"})
        self.texts = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def refer(self, reference, secret):
        """A secret that only a reference leads to: nothing may show it."""
        self.referred[secret] = reference
        return secret

    def plant(self, secret):
        """One that was written in the open: configurations show it, nothing else may."""
        self.literal[secret] = "[hidden]"
        return secret

    def ask(self, method, path, body=None, shows=False):
        """Asks, and keeps the answer; `shows`: what was written in the open may be in it."""
        token = base64.b64encode(b"joe:Pl4nted-user").decode()
        status, headers, content = self.worker.request(
            method, path, body, {"Authorization": f"Basic {token}"})
        text = f"{headers}\n{content.decode('utf-8', 'replace')}"
        self.texts.append((f"{method} {path}", text, shows))
        return status, json.loads(content) if content[:1] in (b"{", b"[") else None

    def state(self, name):
        status, body = self.ask("GET", f"/connectors/{name}/status")
        if status != 200:
            return str(status)
        return " ".join([body["connector"]["state"]] + [task["state"] for task in body["tasks"]])

    def wait_for(self, name, state):
        until(lambda: state in self.state(name), lambda: f"{name}: {self.state(name)}\n{self.log()}")

    def trace(self, name):
        status = self.ask("GET", f"/connectors/{name}/status")[1]
        return " ".join([status["connector"].get("trace", "")] +
                        [task.get("trace", "") for task in status["tasks"]])

    def log(self):
        """What of the log helps a person."""
        lines = [line for line in self.worker.log().splitlines()
                 if " DEBUG " not in line and " TRACE " not in line]
        return "\n".join(lines[-40:])

    def look(self):
        """Every place in which a secret was found, but where it may be."""
        found = []
        texts = list(self.texts) + [("log", self.worker.log(), False)]
        for pid in [self.worker.process.pid, *self.worker.children()]:
            for name in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                        text = file.read()
                except OSError:
                    continue
                # The environment is where one of them lives.
                texts.append((f"/proc/{pid}/{name}", text.replace("SECRET_OF_TEST=Pl4nted-env", ""),
                              False))
        for where, text, shows in texts:
            # What stands in an address, Kafka Connect's validation shows as well.
            written = [] if shows else [secret for secret in self.literal
                                        if not ("/validate" in where and secret == "Pl4nted-url")]
            for secret in [*self.referred, *written]:
                if secret in text:
                    at = text.index(secret)
                    found.append(f"{where}: {text[max(0, at - 150):at + 60]!r}")
        return sorted(set(found))

    def stop(self):
        self.echo.shutdown()
        self.echo.server_close()
        for running in (self.worker, self.broker):
            try:
                running.stop()
            finally:
                shutil.rmtree(running.folder, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def connectors(planted):
    """Configurations that come to nothing, each in its own way."""
    file = planted.path("file.properties")
    echo = f"http://127.0.0.1:{planted.echo.server_port}"
    sink = {"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "t",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "http.authorization.type": "none", "http.headers.content.type": "text/plain",
            "max.retries": "0"}
    postgres = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                "database.hostname": "127.0.0.1", "database.port": "1", "database.user": "u",
                "database.dbname": "d", "topic.prefix": "p", "max.retries": "0"}
    source = {"connector.class": "FileStreamSource", "topic": "t", "file": planted.path("in.txt")}
    yield "file", {**source, "file": "${file:" + file + ":path}"}
    yield "lines", source
    yield "postgres-file", {**postgres, "database.password": "${file:" + file + ":pw}"}
    yield "postgres-dir", {**postgres, "database.password": "${dir:" + planted.path("secrets.d") + ":pw}"}
    yield "postgres-user", {**postgres, "database.user": "${env:SECRET_OF_TEST}",
                            "database.password": planted.plant("Pl4nted-pg")}
    yield "http-header", {**sink, "http.url": echo, "http.authorization.type": "static",
                          "http.headers.authorization": "Bearer ${env:SECRET_OF_TEST}"}
    yield "http-literal", {**sink, "http.url": echo, "http.authorization.type": "static",
                           "http.headers.authorization": planted.plant("Pl4nted-http-header")}
    yield "http-url", {**sink, "http.url": f"http://u:{planted.plant('Pl4nted-url')}@127.0.0.1:1/"}
    yield "http-oauth2", {**sink, "http.url": echo, "http.authorization.type": "oauth2",
                          "oauth2.access.token.url": echo + "/token", "oauth2.client.id": "c",
                          "oauth2.client.authorization.mode": "url",
                          "oauth2.client.secret": planted.plant("Pl4nted-oauth2")}
    yield "http-oauth2-file", {**sink, "http.url": echo, "http.authorization.type": "oauth2",
                               "oauth2.access.token.url": echo + "/token", "oauth2.client.id": "c",
                               "oauth2.client.authorization.mode": "url",
                               "oauth2.client.secret": "${file:" + file + ":pw}"}
    jaas = ('org.apache.kafka.common.security.plain.PlainLoginModule required username="u" '
            'password="%s";')
    yield "sasl", {**source, "producer.override.security.protocol": "SASL_PLAINTEXT",
                   "producer.override.sasl.mechanism": "PLAIN", "producer.override.debug": "all",
                   "producer.override.sasl.jaas.config": jaas % planted.plant("Pl4nted-jaas")}
    yield "sasl-file", {**source, "producer.override.security.protocol": "SASL_PLAINTEXT",
                        "producer.override.sasl.mechanism": "PLAIN", "producer.override.debug": "all",
                        "producer.override.sasl.jaas.config": jaas % ("${file:" + file + ":pw}")}
    yield "sasl-wrong", {**source, "producer.override.sasl.jaas.config":
                         "x.Y required user=u pin=" + planted.plant("Pl4nted-pin")}
    yield "tls", {**source, "producer.override.security.protocol": "SSL",
                  "producer.override.ssl.keystore.location": planted.path("file.properties"),
                  "producer.override.ssl.keystore.password": planted.plant("Pl4nted-keystore"),
                  "producer.override.ssl.key.password": "${file:" + file + ":pw}"}
    yield "number", {**source, "batch.size": "${file:" + file + ":number}",
                     "tasks.max": "${env:SECRET_OF_TEST}", "errors.tolerance": "${file:" + file + ":pw}"}
    yield "class", {"connector.class": "${file:" + file + ":class}"}
    yield "transform", {**source, "transforms": "x", "transforms.x.type": "${file:" + file + ":class}"}
    yield "converter", {**source, "value.converter": "${file:" + file + ":class}"}
    yield "nowhere", {**source, "file": "${file:" + planted.path("no.such") + ":pw}"}
    yield "mistakes", {**postgres, "database.password": planted.plant("Pl4nted-mistaken"),
                       "database.port": "${file:" + file + ":number}", "snapshot.mode":
                       "${file:" + file + ":class}", "table.include.list": "(${file:" + file + ":pw}"}


def drive(planted):
    """All that answers; the names of the connectors that there are then."""
    planted.write("in.txt", "a line\n")
    check_equal(planted.ask("PUT", "/admin/loggers/root", {"level": "TRACE"})[0], 200)
    made = []
    for name, config in connectors(planted):
        plugin = config["connector.class"].rsplit(".", 1)[-1]
        if not plugin.startswith("$"):
            planted.ask("PUT", f"/connector-plugins/{plugin}/config/validate", config)
        body = {"name": name, "config": config}
        status, _ = planted.ask("POST", "/connectors", body, shows=True)
        if status in (201, 500):
            made.append(name)
    return made


def look_around(planted, names):
    for name in names:
        for path, shows in (("", True), ("/config", True), ("/tasks", True), ("/status", False), ("/topics", False), ("/offsets", False),
                            ("/logs", False)):
            planted.ask("GET", f"/connectors/{name}{path}", shows=shows)
        planted.ask("PATCH", f"/connectors/{name}/offsets", {"offsets": []})
    planted.ask("GET", "/connectors?expand=status")
    planted.ask("GET", "/connectors?expand=info", shows=True)
    for path in ("/metrics", "/admin/loggers", "/connector-plugins?connectorsOnly=false", "/", "/health"):
        planted.ask("GET", path)


@test
def no_secret_is_shown():
    planted = Planted()
    try:
        made = drive(planted)
        for name in ("lines", "http-header", "http-literal", "http-oauth2", "http-oauth2-file",
                     "http-url", "postgres-file", "postgres-dir", "postgres-user", "sasl", "sasl-file"):
            check_equal(name in made, True)
        for name in ("http-header", "http-literal", "http-oauth2", "http-oauth2-file", "http-url"):
            planted.wait_for(name, "FAILED")
        for name in ("postgres-file", "postgres-dir", "postgres-user"):
            until(lambda named=name: f"task {named}-0: cannot connect to" in planted.worker.log(),
                  planted.log)
        # That the echo has come back, without what it echoed.
        until(lambda: "${env:SECRET_OF_TEST}" in planted.trace("http-header") or
              "${env:SECRET_OF_TEST}" in planted.worker.log(), planted.log)
        until(lambda: planted.worker.host_of("lines") is not None)
        os.kill(planted.worker.host_of("lines"), signal.SIGSEGV)
        planted.wait_for("lines", "FAILED")
        planted.ask("POST", "/connectors/http-url/restart?includeTasks=true")
        planted.wait_for("http-url", "FAILED")
        look_around(planted, made)
        found = planted.look()
        if found:
            raise AssertionError("\n".join(found))
    finally:
        log = planted.worker.log()
        planted.stop()
    if not log:
        raise AssertionError("nothing was logged")


@test
def configurations_show_what_was_written():
    planted = Planted()
    try:
        reference = "${file:" + planted.path("file.properties") + ":pw}"
        config = {"connector.class": "FileStreamSource", "topic": "t", "file": planted.path("x"),
                  "some.key": reference, "some.password": planted.plant("Pl4nted-literal")}
        status, body = planted.ask("POST", "/connectors", {"name": "c", "config": config}, shows=True)
        check_equal((status, body["config"]), (201, {**config, "name": "c"}))
        until(lambda: planted.ask("GET", "/connectors/c/tasks", shows=True)[1])
        check_equal(planted.ask("GET", "/connectors/c/config", shows=True)[1], {**config, "name": "c"})
        tasks = planted.ask("GET", "/connectors/c/tasks", shows=True)[1]
        check_equal(tasks[0]["config"]["file"], config["file"])
        check_equal(tasks[0]["config"].get("some.key", reference), reference)
        checked = planted.ask("PUT", "/connector-plugins/FileStreamSource/config/validate", {
            **config, "topic": reference, "tasks.max": reference})[1]
        values = {item["value"]["name"]: item["value"] for item in checked["configs"]}
        check_equal((values["topic"]["value"], values["tasks.max"]["errors"][0]),
                    (reference, f"Invalid value {reference} for configuration tasks.max: "
                                "Not a number of type INT"))
        check_equal(planted.look(), [])
    finally:
        planted.stop()


@test
def the_command_line_shows_no_more():
    planted = Planted()
    try:
        reference = "${file:" + planted.path("file.properties") + ":path}"
        config = {"connector.class": "FileStreamSource", "topic": "t", "file": reference}
        with open(planted.path("c.json"), "w", encoding="utf-8") as file:
            json.dump({"name": "c", "config": config}, file)
        url = f"http://joe:Pl4nted-user@127.0.0.1:{planted.worker.port}"
        for arguments in (["create", planted.path("c.json")], ["list"], ["status", "c"], ["config", "c"],
                          ["topics", "c"], ["offsets", "c"], ["validate", planted.path("c.json")],
                          ["status", "nobody"]):
            for base in (url, url.replace(str(planted.worker.port), "1")):
                done = subprocess.run([SLUICE, "connectors", *arguments, "--url", base],
                                      capture_output=True, timeout=100, check=False)
                text = (done.stdout + done.stderr).decode()
                planted.texts.append((f"sluice connectors {arguments}", text, False))
                if base == url and arguments[0] in ("create", "list", "config"):
                    check_equal((arguments, done.returncode, text if done.returncode else ""),
                                (arguments, 0, ""))
        check_equal(planted.look(), [])
    finally:
        planted.stop()


main(sys.argv[2:])
