"""The log of a worker and its connectors: its two forms, and the last lines through REST.

usage: log_test.py SLUICE FAKE_WORKER [WORD…]
"""
import json
import os
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from running_worker import RunningWorker, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE, FAKE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ODD = 'o"d\\d \u2603'
LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] (INFO|WARN|ERROR) "
                  r"(\[.*?\|(worker|task-\d+)\] )?.* \([a-z.]+\)")
OURS = re.compile(r"REST at http|%\d\|")  # Standard output; librdkafka's before its log is ours.


def real(**settings):
    return RunningWorker([SLUICE, "standalone"],
                         {key.replace("_", "."): value for key, value in settings.items()})


def fake(**settings):
    return RunningWorker([FAKE], {"restart.policy": "never", **{
        key.replace("_", "."): value for key, value in settings.items()}}, ready_first=True)


def doomed(w, name):
    """A connector of the fake worker that says its last words and dies."""
    w.call("POST", "/connectors", {"name": name, "config": {
        "connector.class": "org.example.FakeSource", "fake.need": "x", "fake.crash": "11"}})
    w.wait_state(urllib.parse.quote(name, safe=""), "FAILED FAILED")


def wrong_sink(w, name):
    status, body = w.call("POST", "/connectors", {"name": name, "config": {
        "connector.class": "FileStreamSink", "file": "/dev/null/at all/x", "topics": "t"}})
    check_equal((status, body["name"]), (201, name))
    w.wait_state(name, "RUNNING FAILED")


def lines_of(w):
    return [line for line in w.log().splitlines() if not OURS.match(line)]


@test
def every_line_has_kafka_connects_form():
    with real() as w:
        wrong_sink(w, "c")
        w.call("DELETE", "/connectors/c")
        lines = lines_of(w)
    check_equal([line for line in lines if not LINE.fullmatch(line)], [])
    about = [line for line in lines if " ERROR [c|task-0] " in line]
    check_equal(len(about), 1)
    check_equal("/dev/null/at all/x" in about[0] and about[0].endswith(" (worker.task)"), True)


@test
def every_line_is_an_object_where_json_is_wanted():
    with real(log_format="json") as w:
        wrong_sink(w, "c")
        objects = [json.loads(line) for line in lines_of(w)]
    for one in objects:
        check_equal(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["timestamp"])
                    is not None, True)
        check_equal(set(one) - {"connector", "task"}, {"timestamp", "level", "logger", "message"})
    check_equal([one["message"] for one in objects
                 if one.get("task") == 0 and one["connector"] == "c"][0].startswith("task c-0 "), True)


@test
def the_form_is_taken_from_the_environment_too():
    done = subprocess.run([SLUICE, "broker", "-o", "log.dirs=/dev/null/x", "-o", "nonsense=1"],
                          env={**os.environ, "SLUICE_LOG_FORMAT": "json"}, capture_output=True,
                          text=True, timeout=120, check=False)
    first = json.loads(done.stderr.splitlines()[0])
    check_equal((first["logger"], "nonsense" in first["message"]), ("broker", True))


@test
def what_a_plugin_writes_by_itself_becomes_a_line_of_the_log():
    for form in ("text", "json"):
        with fake(log_format=form) as w:
            doomed(w, ODD)
            words = [line for line in lines_of(w) if "these are my last words" in line and
                     "worker.output" in line]
            check_equal(len(words), 1)
            if form == "json":
                one = json.loads(words[0])
                check_equal((one["connector"], one["message"]), (ODD, "these are my last words"))
            else:
                check_equal(LINE.fullmatch(words[0]) is not None, True)


@test
def the_last_lines_of_a_connector_can_be_asked_for():
    with fake() as w:
        doomed(w, "c")
        doomed(w, "other")
        status, body = w.call("GET", "/connectors/c/logs")
        check_equal((status, body["name"], set(body)), (200, "c", {"name", "next", "lines"}))
        text = "\n".join(body["lines"])
        check_equal("these are my last words" in text and "signal 11" in text, True)
        check_equal("other" in text, False)
        check_equal(w.call("GET", "/connectors/c/logs?lines=1")[1]["lines"], body["lines"][-1:])
        check_equal(w.call("GET", f"/connectors/c/logs?after={body['next']}"),
                    (200, {"name": "c", "next": body["next"], "lines": []}))
        w.call("POST", "/connectors/c/restart")
        until(lambda: w.call("GET", f"/connectors/c/logs?after={body['next']}")[1]["lines"])
        check_equal(w.call("GET", "/connectors/no/logs"), (404, {
            "error_code": 404, "message": "Connector no not found"}))
        check_equal(w.call("DELETE", "/connectors/c"), (204, None))
        check_equal(w.call("GET", "/connectors/c/logs")[0], 404)
        status, _ = w.call("POST", "/connectors", {
            "name": "c", "initial_state": "STOPPED",
            "config": {"connector.class": "org.example.FakeSource", "fake.need": "x"}})
        check_equal(w.call("GET", "/connectors/c/logs"),
                    (200, {"name": "c", "next": -1, "lines": []}))


main(sys.argv[3:])
