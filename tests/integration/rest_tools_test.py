"""What kcctl, kafka-ui, AKHQ and Strimzi ask a worker: each request, and the shape that the
tool needs of its answer. One broker and one worker serve all of them.

usage: rest_tools_test.py SLUICE [WORD…]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE = os.path.abspath(sys.argv[1])
JSON = "org.apache.kafka.connect.json.JsonConverter"

ABOUT = {"version": str, "commit": str, "kafka_cluster_id": (str, None), "sluice_version": str}
STATES = {"RUNNING", "FAILED", "PAUSED", "UNASSIGNED", "RESTARTING", "STOPPED"}
KEY = {"name": str, "type": {"BOOLEAN", "CLASS", "DOUBLE", "INT", "LIST", "LONG", "PASSWORD",
                             "SHORT", "STRING"},
       "required": bool, "default_value": (str, None), "importance": {"LOW", "MEDIUM", "HIGH"},
       "documentation": str, "group": (str, None), "width": {"SHORT", "MEDIUM", "LONG", "NONE"},
       "display_name": str, "dependents": [str], "order": int}
VALUE = {"name": str, "value": (str, None), "recommended_values": [str], "errors": [str],
         "visible": bool}
VALIDATED = {"name": str, "error_count": int, "groups": [str],
             "configs": [{"definition": (KEY, None), "value": VALUE}]}
PLUGINS = [{"class": str, "type": str, "version": str}]
CONFIG = {...: str}
INFO = {"name": str, "config": CONFIG, "tasks": [{"connector": str, "task": int}],
        "type": {"source", "sink"}}
PLACE = {"state": STATES, "worker_id": str, "version": (str, None), "trace?": str}
STATUS = {"name": str, "connector": PLACE, "tasks": [{"id": int, **PLACE}],
          "type": {"source", "sink"}}
TASKS = [{"id": {"connector": str, "task": int}, "config": CONFIG}]
TOPICS = {...: {"topics": [str]}}
OFFSETS = {"offsets": [{"partition": {...: (str, int)}, "offset": {...: int}}]}
MESSAGE = {"message": str}
LEVEL = {"level": str, "last_modified": (int, None)}
FAULT = {"error_code": int, "message": str}


def misfit(value, shape, where=""):
    """Why `value` has not the shape, or None. A type, a set of texts, a list of one shape, a
    tuple of several, None, or an object by its members; `...` stands for any name, and one with
    a question mark may be missing."""
    if shape is None or isinstance(shape, type):
        fits = value is None if shape is None else type(value) is shape
        return None if fits else f"{where} is {value!r}, not {shape}"
    if isinstance(shape, set):
        return None if value in shape else f"{where} is {value!r}, none of {sorted(shape)}"
    if isinstance(shape, tuple):
        found = [misfit(value, one, where) for one in shape]
        return None if None in found else found[0]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is {value!r}, no list"
        members = [(item, shape[0], f"{where}[{index}]") for index, item in enumerate(value)]
    elif not isinstance(value, dict):
        return f"{where} is {value!r}, no object"
    elif ... in shape:
        members = [(item, shape[...], f"{where}.{name}") for name, item in value.items()]
    elif {name for name in shape if name[-1] != "?"} - set(value) or (
            set(value) - {name.rstrip("?") for name in shape}):
        return f"{where} has {sorted(value)}, not {sorted(shape)}"
    else:
        members = [(value[name], shape.get(name, shape.get(name + "?")), f"{where}.{name}")
                   for name in value]
    return next(filter(None, (misfit(*member) for member in members)), None)


class Shared:
    """The broker and the worker, from the first test to the end."""
    broker = worker = None

    @classmethod
    def start(cls):
        if cls.worker is None:
            cls.broker = RunningBroker(SLUICE)
            cls.worker = RunningWorker([SLUICE, "standalone"], {
                "bootstrap.servers": cls.broker.address, "key.converter": JSON,
                "value.converter": JSON})
            for name, text in (("in.txt", "one\ntwo\n"), ("out.txt", "")):
                with open(cls.path(name), "w", encoding="utf-8") as file:
                    file.write(text)
        return cls.worker

    @classmethod
    def path(cls, name):
        return os.path.join(cls.worker.folder, name)

    @classmethod
    def stop(cls):
        for part in (cls.worker, cls.broker):
            if part is not None:
                part.__exit__(None, None, None)


def ask(method, path, wanted, shape=None, body=None):
    """The answer, which has one of the statuses `wanted` and the shape; no body without."""
    status, answer = Shared.start().call(method, path, body)
    allowed = wanted if isinstance(wanted, tuple) else (wanted,)
    if status not in allowed:
        raise AssertionError(f"{method} {path}: {status}, not {allowed}: {answer}")
    reason = misfit(answer, shape, "the answer") if shape is not None else None
    if reason is None and shape is None and answer not in (None, "", b""):
        reason = f"an answer that should be empty is {answer!r}"
    if reason is not None:
        raise AssertionError(f"{method} {path}: {reason}")
    return answer


def await_state(name, state, tasks=1):
    Shared.worker.wait_state(name, " ".join([state] * (1 + tasks)))


def source():
    Shared.start()
    return {"connector.class": "FileStreamSource", "tasks.max": "1", "topic": "lines",
            "file": Shared.path("in.txt")}


def sink():
    Shared.start()
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max": "1", "topics": "lines", "file": Shared.path("out.txt")}


@test
def a_shape_is_told_from_another():
    check_equal(misfit({"a": [1, 2]}, {"a": [int]}), None)
    check_equal(misfit({"x": "y"}, {...: str}), None)
    check_equal(misfit(True, int, "it"), "it is True, not <class 'int'>")
    check_equal(misfit({"a": [1, "2"]}, {"a": [int]}, "it"), "it.a[1] is '2', not <class 'int'>")
    check_equal(misfit({"b": 1}, {"a": int}, "it"), "it has ['b'], not ['a']")
    check_equal(misfit({"b": 1}, {"a?": int, "b": int}), None)
    check_equal(misfit({"b": 1, "a": ""}, {"a?": int, "b": int}, "it"),
                "it.a is '', not <class 'int'>")
    check_equal(misfit("GONE", STATES, "it") is None, False)
    check_equal(misfit(None, (str, None)), None)


@test
def kcctl():
    about = ask("GET", "/", 200, ABOUT)
    major, minor = (int(part) for part in about["version"].split(".")[:2])
    if (major, minor) < (3, 6):
        raise AssertionError(f"kcctl would not alter offsets of version {about['version']}")
    ask("GET", "/connector-plugins", 200, PLUGINS)
    ask("GET", "/connector-plugins?connectorsOnly=false", 200, PLUGINS)
    ask("GET", "/connector-plugins/FileStreamSource/config", 200, [KEY])
    ask("PUT", "/connector-plugins/FileStreamSource/config/validate", 200, VALIDATED, source())
    ask("POST", "/connectors/", 201, INFO, {"name": "k", "config": source()})
    check_equal(ask("GET", "/connectors/", 200, [str]), ["k"])
    await_state("k", "RUNNING")
    ask("GET", "/connectors?expand=status&expand=info", 200,
        {...: {"status": STATUS, "info": INFO}})
    ask("GET", "/connectors/k", 200, INFO)
    ask("GET", "/connectors/k/status", 200, STATUS)
    ask("GET", "/connectors/k/config", 200, CONFIG)
    ask("GET", "/connectors/k/topics", 200, TOPICS)
    ask("GET", "/connectors/k/tasks", 200, TASKS)
    ask("GET", "/connectors/k/offsets", 200, OFFSETS)
    ask("PUT", "/connectors/k/config", 200, INFO, {**source(), "batch.size": "5"})
    ask("PATCH", "/connectors/k/config", 200, INFO, {"batch.size": None})
    ask("POST", "/connectors/k/restart", 204)
    ask("POST", "/connectors/k/restart?includeTasks=true&onlyFailed=false", 202, STATUS)
    await_state("k", "RUNNING")
    ask("POST", "/connectors/k/tasks/0/restart", 204)
    await_state("k", "RUNNING")
    ask("PUT", "/connectors/k/pause", 202)
    await_state("k", "PAUSED")
    ask("PUT", "/connectors/k/resume", 202)
    await_state("k", "RUNNING")
    ask("PUT", "/connectors/k/stop", 204)
    await_state("k", "STOPPED", 0)
    ask("PATCH", "/connectors/k/offsets", 200, MESSAGE, {"offsets": [
        {"partition": {"filename": Shared.path("in.txt")}, "offset": {"position": 4}}]})
    ask("DELETE", "/connectors/k/offsets", 200, MESSAGE)
    ask("GET", "/admin/loggers", 200, {...: LEVEL})
    check_equal(ask("PUT", "/admin/loggers/kcctl.one", 200, [str], {"level": "DEBUG"}),
                ["kcctl.one"])
    ask("PUT", "/admin/loggers/kcctl.one?scope=cluster", 204, None, {"level": "INFO"})
    ask("GET", "/admin/loggers/kcctl.one", 200, LEVEL)
    ask("DELETE", "/connectors/k", 204)
    for path in ("k", "k/status", "k/config", "k/tasks", "k/offsets"):
        ask("GET", f"/connectors/{path}", 404, FAULT)


@test
def kafka_ui():
    ask("GET", "/", 200, ABOUT)
    ask("GET", "/connector-plugins", 200, PLUGINS)
    ask("PUT", "/connector-plugins/FileStreamSink/config/validate", 200, VALIDATED,
        {"connector.class": "FileStreamSink", "tasks.max": 0})
    ask("POST", "/connectors", 400, FAULT, {"name": "u", "config": {
        "connector.class": "FileStreamSink", "tasks.max": 0}})
    ask("POST", "/connectors", 201, INFO, {"name": "u", "config": sink()})
    ask("POST", "/connectors", 409, FAULT, {"name": "u", "config": sink()})
    await_state("u", "RUNNING")
    ask("GET", "/connectors?expand=info&expand=status", 200,
        {...: {"info": INFO, "status": STATUS}})
    for path, shape in (("", INFO), ("/status", STATUS), ("/config", CONFIG),
                        ("/tasks", TASKS), ("/tasks/0/status", {"id": int, **PLACE}),
                        ("/topics", TOPICS), ("/offsets", OFFSETS)):
        ask("GET", f"/connectors/u{path}", 200, shape)
    ask("PUT", "/connectors/u/config", 200, INFO, {**sink(), "errors.tolerance": "all"})
    await_state("u", "RUNNING")
    ask("POST", "/connectors/u/restart?includeTasks=true&onlyFailed=true", 202, STATUS)
    ask("POST", "/connectors/u/tasks/0/restart", 204)
    await_state("u", "RUNNING")
    ask("PUT", "/connectors/u/stop", 204)
    await_state("u", "STOPPED", 0)
    ask("DELETE", "/connectors/u/offsets", 200, MESSAGE)
    ask("PUT", "/connectors/u/resume", 202)
    await_state("u", "RUNNING")
    ask("DELETE", "/connectors/u", 204)


@test
def akhq():
    ask("GET", "/connectors?expand=status&expand=info", 200,
        {...: {"status": STATUS, "info": INFO}})
    ask("GET", "/connector-plugins", 200, PLUGINS)
    keys = ask("PUT", "/connector-plugins/FileStreamSourceConnector/config/validate", 200,
               VALIDATED, {"connector.class": "FileStreamSourceConnector"})
    names = [entry["value"]["name"] for entry in keys["configs"]]
    for needed in ("name", "connector.class", "topic", "file"):
        if needed not in names:
            raise AssertionError(f"the form lacks {needed}")
    ask("POST", "/connectors", 201, INFO, {"name": "a", "config": source()})
    await_state("a", "RUNNING")
    ask("PUT", "/connectors/a/config", 200, INFO, source())
    ask("PUT", "/connectors/a/pause", 202)
    await_state("a", "PAUSED")
    ask("PUT", "/connectors/a/resume", 202)
    await_state("a", "RUNNING")
    ask("POST", "/connectors/a/restart", 204)
    ask("GET", "/connectors/a/tasks", 200, TASKS)
    ask("POST", "/connectors/a/tasks/0/restart", 204)
    ask("DELETE", "/connectors/a", 204)
    ask("DELETE", "/connectors/a", 404, FAULT)


@test
def strimzi():
    """The operator compares texts: what it reads back must be what it has put."""
    wanted = {**source(), "name": "s", "tasks.max": "1", "batch.size": " 7 ",
              "unknown.key": "kept as it is"}
    ask("GET", "/health", 200, {"status": str, "message": str})
    ask("GET", "/connector-plugins", 200, PLUGINS)
    ask("GET", "/connectors/s/config", 404, FAULT)
    ask("PUT", "/connectors/s/config", 201, INFO, wanted)
    check_equal(ask("GET", "/connectors/s/config", 200, CONFIG), wanted)
    ask("PUT", "/connectors/s/config", 200, INFO, wanted)
    check_equal(ask("GET", "/connectors/s/config", 200, CONFIG), wanted)
    await_state("s", "RUNNING")
    ask("GET", "/connectors", 200, [str])
    ask("GET", "/connectors/s", 200, INFO)
    ask("GET", "/connectors/s/status", 200, STATUS)
    ask("GET", "/connectors/s/topics", 200, TOPICS)
    ask("POST", "/connectors/s/restart?includeTasks=true&onlyFailed=false", (202, 204), STATUS)
    await_state("s", "RUNNING")
    ask("POST", "/connectors/s/tasks/0/restart", (202, 204))
    ask("PUT", "/connectors/s/pause", 202)
    await_state("s", "PAUSED")
    ask("PUT", "/connectors/s/resume", 202)
    ask("PUT", "/connectors/s/stop", 204)
    await_state("s", "STOPPED", 0)
    offsets = {"offsets": [{"partition": {"filename": Shared.path("in.txt")},
                            "offset": {"position": 4}}]}
    ask("PATCH", "/connectors/s/offsets", 200, MESSAGE, offsets)
    check_equal(ask("GET", "/connectors/s/offsets", 200, OFFSETS), offsets)
    ask("DELETE", "/connectors/s/offsets", 200, MESSAGE)
    ask("GET", "/admin/loggers/", 200, {...: LEVEL})
    ask("PUT", "/admin/loggers/strimzi.one?scope=cluster", (200, 204), None,
        {"level": "DEBUG"})
    ask("DELETE", "/connectors/s", 204)


if __name__ == "__main__":
    try:
        main(sys.argv[2:])
    finally:
        Shared.stop()
