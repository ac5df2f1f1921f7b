"""The worker and its REST interface, with hosts that fail on request: real processes, sockets
and files, but no plugin and no broker.

usage: worker_test.py FAKE_WORKER SLUICE [WORD…]
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_worker import LIMIT_SECONDS, RunningWorker, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

FAKE, SLUICE = sys.argv[1], sys.argv[2]
FAST = {"restart.backoff.initial.ms": "1"}


def worker(settings=None, connectors=()):
    return RunningWorker([FAKE], settings, connectors, ready_first=True)


def source(name, **keys):
    config = {"connector.class": "org.example.FakeSource", "fake.need": "x"}
    config.update({key.replace("_", "."): value for key, value in keys.items()})
    return {"name": name, "config": config}


def create(running, name, **keys):
    status, body = running.call("POST", "/connectors", source(name, **keys))
    check_equal((status, body["name"]), (201, name))


def create_doomed(running, name, **keys):
    """Its host dies at once: perhaps before its configuration is on disk, and is answered."""
    status, _ = running.call("POST", "/connectors", source(name, **keys))
    if status not in (201, 500):
        raise AssertionError(f"{status} is neither 201 nor 500")


def check_fault(answer, status, part):
    got, body = answer
    check_equal(got, status)
    check_equal(body["error_code"], status)
    if part not in body["message"]:
        raise AssertionError(f"{body['message']!r} lacks {part!r}")


@test
def a_connector_lives_from_post_to_delete():
    with worker() as w:
        status, headers, content = w.request("POST", "/connectors", source("c", fake_tasks=2))
        check_equal(status, 201)
        check_equal(headers["Location"], f"http://127.0.0.1:{w.port}/connectors/c")
        check_equal(json.loads(content), {
            "name": "c",
            "config": {"connector.class": "org.example.FakeSource", "fake.need": "x",
                       "fake.tasks": "2", "name": "c"},
            "tasks": [{"connector": "c", "task": 0}, {"connector": "c", "task": 1}],
            "type": "source"})
        w.wait_state("c", "RUNNING RUNNING RUNNING")
        check_equal(w.call("GET", "/connectors"), (200, ["c"]))
        check_equal(w.call("GET", "/connectors/c/tasks/1/status"), (200, {
            "id": 1, "state": "RUNNING", "worker_id": f"127.0.0.1:{w.port}", "version": "1.0"}))
        check_equal(w.call("GET", "/connectors/c/tasks"), (200, [
            {"id": {"connector": "c", "task": 0}, "config": {"task.class": "FakeTask"}},
            {"id": {"connector": "c", "task": 1}, "config": {"task.class": "FakeTask"}}]))
        check_equal(w.call("DELETE", "/connectors/c"), (204, None))
        check_equal(w.call("GET", "/connectors"), (200, []))
        check_equal(w.host_of("c"), None)


@test
def pause_resume_and_stop_are_seen_in_the_status():
    with worker() as w:
        create(w, "c")
        w.wait_state("c", "RUNNING RUNNING")
        check_equal(w.call("PUT", "/connectors/c/pause"), (202, None))
        w.wait_state("c", "PAUSED PAUSED")
        check_equal(w.call("PUT", "/connectors/c/resume"), (202, None))
        w.wait_state("c", "RUNNING RUNNING")
        check_equal(w.call("PUT", "/connectors/c/stop"), (204, None))
        check_equal(w.state("c"), "STOPPED")
        check_equal(w.call("PUT", "/connectors/c/pause"), (202, None))
        check_equal(w.state("c"), "PAUSED")
        check_equal(w.call("PUT", "/connectors/c/resume"), (202, None))
        w.wait_state("c", "RUNNING RUNNING")


@test
def any_name_can_be_created_and_addressed():
    with worker() as w:
        for name, path in [("a/b c%", "a%2Fb%20c%25"), ("ä+ö", "%C3%A4+%C3%B6"), ("..", "..")]:
            create(w, name)
            check_equal(w.call("GET", f"/connectors/{path}")[1]["name"], name)
            check_equal(w.call("DELETE", f"/connectors/{path}"), (204, None))


@test
def what_is_wrong_gets_kafka_connects_status_and_words():
    with worker() as w:
        create(w, "c")
        check_fault(w.call("POST", "/connectors", source("c")), 409, "Connector c already exists")
        check_fault(w.call("GET", "/connectors/no"), 404, "Connector no not found")
        check_fault(w.call("GET", "/connectors/no/status"), 404,
                    "No status found for connector no")
        check_fault(w.call("GET", "/connectors/c/tasks/9/status"), 404,
                    "No status found for task c-9")
        check_fault(w.call("PUT", "/connectors/no/pause"), 404, "Unknown connector no")
        check_fault(w.call("POST", "/connectors/no/restart"), 404, "Unknown connector: no")
        check_fault(w.call("POST", "/connectors/c/tasks/9/restart"), 404, "Task c-9 not found")
        check_fault(w.call("PUT", "/connectors/c/config", {"name": "d"}), 400,
                    "Connector name configuration (d) doesn't match connector name in the URL (c)")
        check_fault(w.call("POST", "/connectors", {"name": "x", "config": {}}), 400,
                    "Connector config {name=x} contains no connector type")
        check_fault(w.call("GET", "/nope"), 404, "HTTP 404 Not Found")
        check_fault(w.call("POST", "/connectors/c/status"), 405, "HTTP 405 Method Not Allowed")
        check_fault(w.call("POST", "/connectors/c/tasks/x/restart"), 404, "HTTP 404 Not Found")
        check_fault(w.call("POST", "/connectors", raw=b"{", headers={"Content-Type": "text/xml"}),
                    415, "HTTP 415 Unsupported Media Type")
        check_fault(w.call("POST", "/connectors", raw=b"{"), 500, "Unexpected end-of-input")
        check_fault(w.call("POST", "/connectors", {"nme": 1}), 500, "Unrecognized field \"nme\"")
        check_fault(w.call("PUT", "/admin/loggers/x", {"level": "loud"}), 404,
                    "invalid log level 'loud'.")
        check_fault(w.call("POST", "/connectors", raw=b" " * (9 << 20)), 413, "8 MiB")


@test
def a_wrong_configuration_gets_all_its_messages_at_once():
    with worker() as w:
        status, body = w.call("POST", "/connectors",
                              {"name": "", "config": {"connector.class": "FakeSource"}})
        check_equal(status, 400)
        check_equal(body["message"].split("\n")[:3], [
            "Connector configuration is invalid and contains the following 2 error(s):",
            "Invalid value  for configuration name: String may not be empty",
            "Missing required configuration \"fake.need\" which has no default value."])
        check_equal(w.call("GET", "/connectors"), (200, []))


@test
def head_and_options_are_answered():
    with worker({"access.control.allow.origin": "http://ui.example"}) as w:
        status, headers, content = w.request("HEAD", "/connectors")
        check_equal((status, content, headers["Vary"]), (200, b"", "Origin"))
        status, headers, _ = w.request("OPTIONS", "/connectors",
                                       headers={"Origin": "http://ui.example"})
        check_equal((status, headers["Allow"]), (200, "HEAD,POST,GET,OPTIONS"))
        check_equal(headers["Access-Control-Allow-Origin"], "http://ui.example")
        _, headers, _ = w.request("GET", "/", headers={"Origin": "http://evil.example"})
        check_equal(headers["Access-Control-Allow-Origin"], None)


@test
def a_host_that_dies_is_seen_with_its_signal_and_its_words_and_comes_back():
    with worker({"restart.backoff.initial.ms": "600000"}) as w:
        create_doomed(w, "c", fake_tasks=2, fake_crash=11)
        w.wait_state("c", "FAILED FAILED FAILED")
        trace = w.call("GET", "/connectors/c/status")[1]["tasks"][0]["trace"]
        check_equal(trace, "connector host of 'c' was killed by signal 11 (Segmentation fault) "
                           "in poll of task 0; last log lines:\nthese are my last words")
        status, _ = w.call("PATCH", "/connectors/c/config", {"fake.crash": None})
        check_equal(status, 200)
        w.wait_state("c", "RUNNING RUNNING RUNNING")


@test
def a_host_that_is_killed_from_outside_is_restarted_and_its_neighbour_is_not():
    with worker(FAST) as w:
        create(w, "victim")
        create(w, "neighbour")
        victim, neighbour = w.host_of("victim"), w.host_of("neighbour")
        os.kill(victim, signal.SIGKILL)
        until(lambda: w.host_of("victim") not in (None, victim), w.log)
        w.wait_state("victim", "RUNNING RUNNING")
        check_equal(w.host_of("neighbour"), neighbour)
        check_equal(w.state("neighbour"), "RUNNING RUNNING")


@test
def restarts_end_when_the_budget_is_used_up():
    with worker({**FAST, "restart.max.attempts": "3"}) as w:
        create_doomed(w, "c", fake_exit=7)
        until(lambda: "stays FAILED" in w.log(), w.log)
        check_equal(w.log().count("exited with code 7"), 4)
        check_equal(w.state("c"), "FAILED FAILED")


@test
def a_connector_may_have_a_policy_of_its_own():
    with worker(FAST) as w:
        create_doomed(w, "c", fake_crash=9, restart_policy="never")
        w.wait_state("c", "FAILED FAILED")
        create(w, "d", fake_task_fail="bad", restart_policy="on-failure")
        w.wait_state("d", "RUNNING RUNNING")
        check_equal(w.state("c"), "FAILED FAILED")


@test
def a_host_that_does_not_stop_is_killed():
    with worker({"task.shutdown.graceful.timeout.ms": "1"}) as w:
        create(w, "c", fake_deaf="stop")
        check_equal(w.call("DELETE", "/connectors/c"), (204, None))
        check_equal(w.host_of("c"), None)
        check_equal("did not stop within 1 ms and was killed" in w.log(), True)


@test
def a_host_that_does_not_answer_is_killed_and_restarted():
    with worker({**FAST, "host.liveness.timeout.ms": "1000",
                 "task.shutdown.graceful.timeout.ms": "1"}) as w:
        create_doomed(w, "c", fake_deaf="all")
        until(lambda: w.log().count("did not answer for") > 1, w.log)


@test
def a_host_that_is_stopped_by_a_signal_is_killed_too():
    with worker({"host.liveness.timeout.ms": "4000", "restart.policy": "never"}) as w:
        create(w, "c")
        os.kill(w.host_of("c"), signal.SIGSTOP)
        w.wait_state("c", "FAILED FAILED")


@test
def a_check_that_crashes_is_answered_and_the_next_one_works():
    with worker() as w:
        check_fault(w.call("POST", "/connectors", source("c", fake_validate_crash=1)), 500,
                    "the inspection of plugins was killed by signal 6 (Aborted)")
        create(w, "d")


@test
def offsets_survive_a_kill_of_the_host_and_of_the_worker():
    with worker(FAST) as w:
        create(w, "c", fake_count=1)

        def count():
            offsets = w.call("GET", "/connectors/c/offsets")[1]["offsets"]
            return offsets[0]["offset"]["count"] if offsets else 0
        until(lambda: count() == 1, w.log)
        os.kill(w.host_of("c"), signal.SIGKILL)
        until(lambda: count() == 2, w.log)
        check_equal(w.stop(signal.SIGKILL), -signal.SIGKILL)
        w.start()
        check_equal(w.call("GET", "/connectors"), (200, []))
        create(w, "c", fake_count=1)
        until(lambda: count() == 3, w.log)


@test
def hosts_end_when_the_worker_is_killed():
    with worker() as w:
        create(w, "c")
        create(w, "d")
        below = list(w.children())
        check_equal(len(below), 4)  # The nursery, the inspector and two hosts.
        w.stop(signal.SIGKILL)
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below))
        w.start()


@test
def connectors_are_remembered_with_their_state_where_a_file_is_given():
    with tempfile.TemporaryDirectory() as folder, \
            worker({"config.storage.file.filename": os.path.join(folder, "configs")}) as w:
        for name in ("runs", "paused", "stopped", "gone"):
            create(w, name)
        w.call("PUT", "/connectors/paused/pause")
        w.call("PUT", "/connectors/stopped/stop")
        w.call("DELETE", "/connectors/gone")
        w.stop(signal.SIGKILL)
        w.start()
        check_equal(sorted(w.call("GET", "/connectors")[1]), ["paused", "runs", "stopped"])
        w.wait_state("runs", "RUNNING RUNNING")
        check_equal((w.state("paused"), w.state("stopped")), ("PAUSED", "STOPPED"))


@test
def connectors_of_the_command_line_are_made_before_the_worker_is_healthy():
    with tempfile.TemporaryDirectory() as folder:
        first, second = os.path.join(folder, "a.properties"), os.path.join(folder, "b.json")
        with open(first, "w", encoding="utf-8") as file:
            file.write("name=a\nconnector.class=FakeSource\nfake.need=1\n")
        with open(second, "w", encoding="utf-8") as file:
            json.dump({"name": "b", "initial_state": "stopped",
                       "config": {"connector.class": "FakeSink", "fake.need": 2}}, file)
        with worker(connectors=[first, second]) as w:
            until(lambda: w.call("GET", "/health")[0] == 200, w.log)
            check_equal((w.state("a"), w.state("b")), ("RUNNING RUNNING", "STOPPED"))


@test
def a_connector_of_the_command_line_that_cannot_be_made_ends_the_worker_with_3():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.properties")
        with open(path, "w", encoding="utf-8") as file:
            file.write("name=a\nconnector.class=FakeSource\n")
        with worker() as w:
            w.stop()
            w.connectors = [path]
            w.start(wait=False)
            check_equal(w.process.wait(LIMIT_SECONDS), 3)
            w.process = None
            check_equal("Missing required configuration \"fake.need\"" in w.log(), True)


@test
def connectors_of_the_command_line_that_cannot_start_end_nobody_else():
    keys = {"dies": "fake.early=1\nfake.crash=9", "refuses": "fake.fail=no", "runs": ""}
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{name}.properties") for name in keys]
        for path, (name, more) in zip(paths, keys.items()):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"name={name}\nconnector.class=FakeSource\nfake.need=1\n{more}\n")
        with worker({"restart.backoff.initial.ms": "600000"}, connectors=paths) as w:
            until(lambda: w.call("GET", "/health")[0] == 200, w.log)
            check_equal([w.state(name) for name in keys], ["FAILED", "FAILED", "RUNNING RUNNING"])
            check_equal("connector 'dies' will be restarted" in w.log(), True)
            w.call("PATCH", "/connectors/dies/config", {"fake.crash": None})
            w.wait_state("dies", "RUNNING RUNNING")


@test
def a_wrong_worker_file_is_told_with_all_its_faults():
    with worker() as w:
        w.stop()
        w.settings = {"topic.tracking.alow.reset": "x", "topic.tracking.enable": "maybe"}
        w.start(wait=False)
        check_equal(w.process.wait(LIMIT_SECONDS), 2)
        w.process = None
        check_equal("topic.tracking.alow.reset" in w.log() and "maybe" in w.log(), True)


@test
def two_workers_cannot_share_their_offsets():
    with worker() as w:
        second = subprocess.run([FAKE, os.path.join(w.folder, "ready2"),
                                 os.path.join(w.folder, "worker.properties")],
                                capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
        check_equal(second.returncode, 2)
        check_equal("is in use by another worker" in second.stderr, True)


@test
def a_stopping_worker_answers_those_who_wait():
    with worker() as w:
        answers = []

        def ask():
            answers.append(w.call("POST", "/connectors", source("c", fake_slow_ms=60000)))
        waiting = threading.Thread(target=ask)
        w.settings["task.shutdown.graceful.timeout.ms"] = "1"
        w.stop()
        w.start()
        waiting.start()
        until(lambda: w.host_of("c") is not None, w.log)
        check_equal(w.stop(), 0)
        waiting.join(LIMIT_SECONDS)
        check_fault(answers[0], 500, "Worker is shutting down")


@test
def requests_that_wait_hold_up_no_others():
    with worker() as w:
        path = os.path.join(w.folder, "go on")
        waiting = threading.Thread(
            target=lambda: w.call("POST", "/connectors", source("slow", fake_slow_until=path)))
        waiting.start()
        try:
            until(lambda: w.host_of("slow") is not None, w.log)
            create(w, "quick")
            check_equal(w.state("slow"), "UNASSIGNED")
        finally:
            open(path, "w", encoding="utf-8").close()
            waiting.join(LIMIT_SECONDS)
        check_equal(w.state("slow"), "RUNNING RUNNING")


@test
def a_client_that_goes_away_leaves_nothing_behind():
    with worker() as w:
        body = json.dumps(source("c", fake_slow_ms=300)).encode()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", w.port)) as s:
                s.sendall(b"POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: "
                          b"application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        with socket.create_connection(("127.0.0.1", w.port)) as s:
            s.sendall(b"POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        w.wait_state("c", "RUNNING RUNNING")


@test
def validation_answers_with_the_hosts_words():
    with worker() as w:
        status, body = w.call("PUT", "/connector-plugins/FakeSource/config/validate",
                              {"connector.class": "FakeSource"})
        check_equal((status, body["error_count"]), (200, 1))
        check_fault(w.call("PUT", "/connector-plugins/FakeSink/config/validate",
                           {"connector.class": "FakeSource"}), 400,
                    "Included connector type FakeSource does not match request type FakeSink")
        check_fault(w.call("GET", "/connector-plugins/Nope/config"), 404, "Unknown plugin Nope.")
        check_equal(len(w.call("GET", "/connector-plugins?connectorsOnly=false")[1]), 5)  # Its converter twice, and one for headers.


@test
def topics_offsets_and_loggers_are_answered():
    with worker() as w:
        create(w, "c", fake_topic="t", fake_count=1)
        until(lambda: w.call("GET", "/connectors/c/topics")[1]["c"]["topics"] == ["t"])
        check_fault(w.call("DELETE", "/connectors/c/offsets"), 400,
                    "Connectors must be in the STOPPED state")
        w.call("PUT", "/connectors/c/stop")
        status, body = w.call("PATCH", "/connectors/c/offsets", {
            "offsets": [{"partition": {"from": "fake"}, "offset": {"count": 41}}]})
        check_equal((status, "altered successfully" in body["message"]), (200, True))
        w.call("PUT", "/connectors/c/resume")
        until(lambda: w.call("GET", "/connectors/c/offsets")[1]["offsets"] == [
            {"partition": {"from": "fake"}, "offset": {"count": 42}}])
        check_equal(w.call("PUT", "/admin/loggers/worker", {"level": "debug"}),
                    (200, ["worker"]))
        check_equal(w.call("GET", "/admin/loggers/worker")[1]["level"], "DEBUG")


@test
def metrics_count_connectors_tasks_and_deaths():
    with worker({"restart.policy": "never"}) as w:
        create(w, "c", fake_tasks=2)
        create_doomed(w, "d", fake_crash=9)
        w.wait_state("d", "FAILED FAILED")
        status, headers, content = w.request("GET", "/metrics")
        check_equal((status, headers["Content-Type"]),
                    (200, "text/plain; version=0.0.4; charset=utf-8"))
        lines = content.decode().splitlines()
        for wanted in ("kafka_connect_worker_connector_count 2",
                       'kafka_connect_worker_connector_running_task_count{connector="c"} 2',
                       'kafka_connect_connector_status{connector="d",status="failed"} 1',
                       "sluice_host_deaths_total 1"):
            check_equal((wanted, wanted in lines), (wanted, True))


@test
def the_command_line_tool_does_what_it_says():
    with worker(FAST) as w:
        def run(*arguments):
            done = subprocess.run([SLUICE, "connectors", *arguments, "--url",
                                   f"http://127.0.0.1:{w.port}"], capture_output=True,
                                  text=True, timeout=LIMIT_SECONDS, check=False)
            return done.returncode, done.stdout + done.stderr
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("name=my c\nconnector.class=FakeSource\n")
            file.flush()
            check_equal(run("validate", file.name)[0], 1)
            check_equal(run("create", file.name)[0], 1)
            file.write("fake.need=1\nfake.count=1\n")
            file.flush()
            check_equal(run("validate", file.name), (0, "my c: valid\n"))
            check_equal(run("create", file.name), (0, "my c: created\n"))
            check_equal(run("create", file.name, "--update"), (0, "my c: updated\n"))
        check_equal("my c" in run("list")[1] and "RUNNING" in run("list")[1], True)
        check_equal(run("config", "my c", "fake.topic=t", "--remove", "fake.count")[0], 0)
        check_equal(run("config", "my c"),
                    (0, "name=my c\nconnector.class=FakeSource\nfake.need=1\nfake.topic=t\n"))
        for action in ("pause", "resume", "restart", "stop", "delete"):
            check_equal((action, run(action, "my c")), (action, (0, "")))
        check_equal(run("status", "my c"), (1, "No status found for connector my c\n"))
        check_equal(run("nonsense")[0], 2)


main(sys.argv[3:])
