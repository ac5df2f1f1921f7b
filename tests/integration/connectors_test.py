"""sluice connectors: every action against a worker, what is printed, and how it ends.

usage: connectors_test.py SLUICE FAKE_WORKER [WORD…]
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE, FAKE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ODD = "o/d d%\u00e4"


def fake(**settings):
    return RunningWorker([FAKE], {"restart.policy": "never", **{
        key.replace("_", "."): value for key, value in settings.items()}}, ready_first=True)


def call(url, *arguments, stdin=None, **environment):
    """(exit status, standard output, standard error)"""
    done = subprocess.run([SLUICE, "connectors", *arguments], capture_output=True, text=True,
                          timeout=100, check=False, input=stdin,
                          env={**os.environ, "CONNECT_REST_URL": url, **environment})
    return done.returncode, done.stdout, done.stderr


class Desk:
    """A worker, a folder of files, and somebody who types."""

    def __init__(self, worker):
        self.worker = worker
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.folder.cleanup()
        self.worker.__exit__(*trouble)

    def path(self, name=""):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return self.path(name)

    def source(self, name, **keys):
        config = {"connector.class": "org.example.FakeSource", "fake.need": "x"}
        config.update({key.replace("_", "."): value for key, value in keys.items()})
        return self.write(f"{name.replace('/', '_')}.json", {"name": name, "config": config})

    def run(self, *arguments, **more):
        return call(f"http://127.0.0.1:{self.worker.port}", *arguments, **more)

    def done(self, *arguments, **more):
        """What is printed by a command that must go."""
        code, out, err = self.run(*arguments, **more)
        check_equal((arguments, code, err), (arguments, 0, ""))
        return out

    def json(self, *arguments):
        return json.loads(self.done(*arguments, "--json"))


def check_end(got, code, part):
    check_equal(got[0], code)
    if part not in got[1] + got[2]:
        raise AssertionError(f"{got} lacks {part!r}")


@test
def a_connector_is_made_looked_at_changed_and_deleted():
    with Desk(fake()) as d:
        file = d.source(ODD, fake_tasks="2")
        check_equal(d.done("create", file, "--wait"), f"{ODD}: created\n{ODD}: RUNNING, 2 tasks\n")
        check_end(d.run("create", file), 1, "already exists")
        check_equal(d.done("list").splitlines(), [
            "NAME     TYPE    STATE    TASKS        CLASS",
            f"{ODD}  source  RUNNING  2/2 RUNNING  org.example.FakeSource"])
        check_equal(d.done("list", "--names", "--state", "running"), f"{ODD}\n")
        check_equal(d.done("list", "--names", "--state", "FAILED"), "")
        check_equal(list(d.json("list")), [ODD])
        check_equal(d.done("status", ODD).splitlines()[1:], ["  task 0  RUNNING", "  task 1  RUNNING"])
        check_equal(d.json("status", ODD)["connector"]["state"], "RUNNING")
        shown = d.done("show", ODD)
        for part in ("RUNNING", "fake.tasks=2", "offsets", "topics"):
            check_equal((part, part in shown), (part, True))
        check_equal(set(d.json("describe", ODD)), {"info", "status", "topics", "offsets"})
        for action, state in [("pause", "PAUSED"), ("resume", "RUNNING"), ("restart", "RUNNING")]:
            check_equal(d.done(action, ODD, "--wait"), f"{ODD}: {state}, 2 tasks\n")
        check_equal(d.done("restart", ODD, "--task", "1", "--wait"), f"{ODD}: RUNNING, 2 tasks\n")
        check_equal(d.done("restart", ODD, "--tasks", "--only-failed"), "")
        check_equal(d.done("stop", ODD, "--wait"), f"{ODD}: STOPPED\n")
        check_equal(d.done("wait", ODD, "--state", "STOPPED"), f"{ODD}: STOPPED\n")
        check_equal(d.done("delete", ODD, "--wait"), f"{ODD}: gone\n")
        check_equal(d.run("status", ODD), (1, "", f"No status found for connector {ODD}\n"))


@test
def configurations_are_got_set_and_patched():
    with Desk(fake()) as d:
        d.done("create", d.source("c"))
        check_equal(d.done("config", "get", "c", "fake.need"), "x\n")
        check_equal(d.done("config", "c", "fake.tasks=2", "--wait"),
                    "c: RUNNING, 2 tasks\n")
        check_equal(d.done("config", "patch", "c", "fake.topic=t", "--remove", "fake.tasks"), "")
        check_equal(d.done("config", "c"), "connector.class=org.example.FakeSource\nfake.need=x\n"
                                           "name=c\nfake.topic=t\n")
        check_end(d.run("config", "get", "c", "nope"), 1, "'c' has no key 'nope'")
        check_end(d.run("config", "patch", "c", "no-pair"), 2, "KEY=VALUE")
        new = json.dumps({"connector.class": "org.example.FakeSource", "fake.need": "y"})
        check_equal(d.done("config", "set", "c", "-", stdin=new), "")
        check_equal(d.json("config", "c")["fake.need"], "y")
        check_end(d.run("config", "set", "c", "-", stdin="{"), 2, "line 1")
        check_end(d.run("config", "c", "connector.class=Nope"), 1, "Nope")


@test
def a_failure_is_told_by_who_waits_for_the_contrary():
    with Desk(fake()) as d:
        d.run("create", d.source("c", fake_crash="11", fake_early="x"))  # Before it is RUNNING.
        d.worker.wait_state("c", "FAILED")
        code, out, err = d.run("restart", "c", "--tasks", "--wait")
        check_equal((code, out), (4, ""))
        check_equal("'c' has failed before it was RUNNING" in err and "signal 11" in err, True)
        check_equal("FAILED" in d.done("list", "--state", "failed"), True)
        check_equal("these are my last words" in d.done("logs", "c"), True)
        check_equal(len(d.done("logs", "c", "--lines", "1").splitlines()), 1)
        check_end(d.run("logs", "nope"), 1, "Connector nope not found")
        d.done("create", d.source("slow", fake_need="x"))
        check_end(d.run("wait", "slow", "--state", "PAUSED", "--timeout", "0"), 4,
                  "'slow' is not PAUSED after 0 s, but RUNNING")


@test
def offsets_are_kept_in_a_file_set_and_forgotten():
    with Desk(fake()) as d:
        d.done("create", d.source("c", fake_count="1"))
        until(lambda: d.json("offsets", "c")["offsets"])
        check_end(d.run("offsets", "reset", "c"), 1, "STOPPED")
        check_equal(d.done("offsets", "get", "c").splitlines()[0].split(), ["PARTITION", "OFFSET"])
        d.done("stop", "c")
        d.done("offsets", "get", "c", "--to", d.path("kept"))
        with open(d.path("kept"), encoding="utf-8") as file:
            kept = json.load(file)
        kept["offsets"][0]["offset"] = {"count": 41}
        file = d.write("new", kept)
        check_equal("altered successfully" in d.done("offsets", "set", "c", file), True)
        check_equal(d.json("offsets", "c"), kept)
        d.done("resume", "c", "--wait")
        check_equal("reset successfully" in d.done("offsets", "reset", "c", "--stop"), True)
        d.done("wait", "c")
        check_end(d.run("offsets", "set", "c"), 2, "TOPIC:PARTITION=OFFSET")
        check_end(d.run("offsets", "set", "c", "t:x=1", "t:0=1"), 2, "'t:x=1' is no offset")
        check_end(d.run("offsets", "c", "d"), 2, "'d' is too much")
        check_equal(d.done("topics", "c"), "")
        check_equal(d.done("topics", "c", "--reset"), "")


@test
def files_are_compared_applied_and_compared_again():
    with Desk(fake()) as d:
        d.source("same")
        d.source("changed", fake_tasks="1", fake_password="old")
        d.write("props.properties", "name=props\nconnector.class=FakeSource\nfake.need=1\n")
        check_equal(d.done("apply", d.path(), "--wait").splitlines()[:3],
                    ["changed: created", "props: created", "same: created"])
        check_equal(d.run("diff", d.path()), (0, "", ""))
        d.source("changed", fake_tasks="2", fake_topic="t", fake_password="new")
        d.source("new")
        os.remove(d.path("props.properties"))
        wanted = ("~ changed\n    - fake.tasks=1\n    + fake.tasks=2\n    + fake.topic=t\n"
                  "    - fake.password=****\n    + fake.password=****\n+ new\n")
        code, out, err = d.run("diff", d.path())
        check_equal((code, sorted(out.splitlines()[:6]), err),
                    (1, sorted(wanted.splitlines()[:6]), ""))
        check_equal("+ new" in out and "props" not in out, True)
        check_equal("- props" in d.run("apply", d.path(), "--prune", "--dry-run")[1], True)
        code, out, _ = d.run("diff", d.path(), "--prune", "--json")
        plan = json.loads(out)
        check_equal((code, plan["create"], plan["delete"], plan["keep"]),
                    (1, ["new"], ["props"], ["same"]))
        check_equal(plan["update"]["changed"]["fake.tasks"], ["1", "2"])
        check_equal(plan["update"]["changed"]["fake.password"], ["****", "****"])
        host = d.worker.host_of("same")
        check_equal(d.done("apply", d.path(), "--prune", "--wait").splitlines(), [
            "changed: updated", "new: created", "same: unchanged", "props: deleted",
            "changed: RUNNING, 2 tasks", "new: RUNNING, 1 task", "props: gone"])
        check_equal(d.worker.host_of("same"), host)
        check_equal(d.run("diff", d.path(), "--prune"), (0, "", ""))


@test
def nothing_is_applied_when_something_is_wrong():
    with Desk(fake()) as d:
        d.source("good")
        d.write("bad.json", {"name": "bad", "config": {"connector.class": "FakeSource"}})
        code, out, err = d.run("apply", d.path())
        check_equal((code, out), (1, ""))
        check_equal(err.splitlines(), [
            'bad: Missing required configuration "fake.need" which has no default value.',
            "nothing was changed"])
        check_equal(d.json("list"), {})
        check_equal(d.run("validate", d.path("good.json")), (0, "good: valid\n", ""))
        check_end(d.run("validate", d.path("bad.json")), 1, "fake.need")
        d.write("bad.json", '{"name": "bad",\n "config": }')
        check_end(d.run("apply", d.path()), 2, "bad.json' is not JSON: line 2")
        d.write("bad.json", {"name": "good", "config": {}})
        check_end(d.run("diff", d.path()), 2, "connector 'good' is in")
        check_end(d.run("apply", d.path("nowhere")), 2, "cannot be read")
        os.mkdir(d.path("empty"))
        check_end(d.run("apply", d.path("empty"), "--prune"), 2, "has no .json")


@test
def mistakes_end_with_the_status_that_is_promised():
    with Desk(fake()) as d:
        check_end(d.run("statsu"), 2, "'statsu' is not an action of sluice connectors, but 'status' is")
        check_end(d.run("status"), 2, "takes at least one argument")
        check_end(d.run("list", "more"), 2, "takes no argument")
        check_end(d.run("status", "nope"), 1, "No status found for connector nope")
        check_end(d.run("list", "--url", "http://127.0.0.1:1"), 3, "cannot connect to the worker")
        check_end(d.run("diff", d.source("c"), "--url", "http://127.0.0.1:1"), 3, "cannot connect")
        check_end(d.run("list", "--url", "ftp://x"), 2, "http://HOST:PORT or https://HOST:PORT")
        check_end(d.run("list", "--url", f"https://127.0.0.1:{d.worker.port}"), 3, "TLS")


@test
def the_worker_tells_about_itself():
    with Desk(fake()) as d:
        check_equal(d.json("info")["version"][0], "4")
        check_equal("version=4" in d.done("info"), True)
        check_equal("org.example.FakeSource" in d.done("plugins"), True)
        check_equal("fake.need" in d.done("plugins", "FakeSource"), True)
        check_equal(d.done("loggers", "worker", "debug"), "")
        check_equal(d.done("loggers", "worker"), "DEBUG\n")
        check_equal(d.done("loggers").splitlines()[0], "LOGGER  LEVEL")
        until(lambda: d.json("plugins", "FakeSource"))


class Guarded(http.server.BaseHTTPRequestHandler):
    """A worker behind basic authentication, with nothing on it, below /connect."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"me:s3cret:x").decode()
        good = self.headers["Authorization"] == wanted
        body = (b"{}" if self.path.startswith("/connect/connectors?") else b"{\"message\": \"path\"}") \
            if good else b"User cannot access the resource."
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@test
def users_and_certificates_are_told_and_checked():
    with tempfile.TemporaryDirectory() as folder:
        pem = os.path.join(folder, "server.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        pem + ".key", "-out", pem + ".crt", "-days", "2", "-subj", "/CN=x",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        server = http.server.HTTPServer(("127.0.0.1", 0), Guarded)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem + ".crt", pem + ".key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}/connect/"
        user = ("--user", "me:s3cret:x")
        try:
            check_end(call(url, "list", *user), 3, "is not trusted")
            check_equal(call(url, "list", "--names", "--cacert", pem + ".crt", *user), (0, "", ""))
            check_equal(call(url, "list", "--names", "--insecure", CONNECT_REST_USER="me:s3cret:x"),
                        (0, "", ""))
            whole = url.replace("127", "me:s3cret:x@127", 1)
            check_equal(call(whole, "list", "--names", "--insecure"), (0, "", ""))
            check_end(call(url, "list", "--insecure"), 3, "CONNECT_REST_USER")
            check_end(call(url.replace("127.0.0.1", "localhost"), "list", "--cacert", pem + ".crt"), 3,
                      "is not trusted")
            check_end(call(url, "list", "--cacert", "/dev/null"), 2, "--cacert '/dev/null'")
        finally:
            server.shutdown()
            server.server_close()


@test
def a_sinks_offsets_are_set_by_topic_and_partition():
    with RunningBroker(SLUICE) as broker, Desk(RunningWorker([SLUICE, "standalone"], {
            "bootstrap.servers": broker.address, "offset.flush.interval.ms": "100"})) as d:
        d.write("in.txt", "one\ntwo\nthree\n")
        d.write("in.json", {"name": "lines-in", "config": {
            "connector.class": "FileStreamSource", "file": d.path("in.txt"), "topic": "t"}})
        d.write("out.json", {"name": "lines-out", "config": {
            "connector.class": "FileStreamSink", "file": d.path("out.txt"), "topics": "t",
            "consumer.override.metadata.max.age.ms": "500"}})
        d.done("apply", d.path(), "--wait")
        until(lambda: "t:0        3" in d.done("offsets", "lines-out"),
              lambda: d.done("offsets", "lines-out"))
        d.done("offsets", "set", "lines-out", "t:0=1", "--stop")

        def out():
            with open(d.path("out.txt"), encoding="utf-8") as file:
                return file.read()
        until(lambda: out() == "one\ntwo\nthree\ntwo\nthree\n", out)
        check_equal(d.done("topics", "lines-out"), "t\n")


main(sys.argv[3:])
