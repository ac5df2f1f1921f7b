"""One list of REST requests, asked of Kafka Connect's standalone worker and of ours.

    with RestPeers(program, libs, plugin) as peers:
        peers.compare('''
            POST /connectors {"name": "c", "config": {}}
            [Accept: text/plain] GET /connectors
            WAIT c RUNNING RUNNING
        ''')

A line is a method, a target and what is left as the body, behind its headers in brackets; FOLDER
is a folder that both may read. WAIT is for the states of a connector and its tasks, SETTLE
until they are the same at both. Status,
Content-Type, Location, Allow and the body are compared, members of objects in no order; what
differs from run to run is masked. Content-Type and Allow may be more than Kafka Connect sends.
Behind '~' only the status is compared, behind '=' lists are in no order, behind '!' nothing is:
there ours is meant to be another. Behind '?' lists of keys are compared: ours may have more keys,
and there may be other classes to choose from.
"""
import glob
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "bench"))

from brokers import Kafka, free_port
from running_broker import RunningBroker
from running_worker import RunningWorker, until

WAIT_SECONDS = 30
SETTLED_SECONDS = 0.3
SETTLE_SECONDS_MAX = 10
COMPARED = ("Content-Type", "Location", "Allow", "Access-Control-Allow-Origin", "X-Two", "Vary",
            "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age")


# Of exceptions that nobody wanted; ours says what is wrong.
UNWANTED = ('Cannot invoke \\"', "No connector `", "since it is not a recognizable type")


def alike(theirs, ours):
    if theirs[0] == 400 and not theirs[2].startswith("{"):
        return True  # Jetty alone has refused the path, which ours may take.
    if theirs[0] == 500 and any(text in theirs[2] for text in UNWANTED):
        return ours[0] in (400, 404, 500)
    more = {name: ours[1][name] for name in ("Content-Type", "Allow")
            if name in ours[1] and name not in theirs[1]}
    return (theirs[0], {**more, **theirs[1]}, theirs[2]) == ours


def leaves(value, path=""):
    """Every scalar of a JSON value by its path; lists of things with names by these."""
    if isinstance(value, dict):
        yield path + "{}", ",".join(value)
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        names = [str((item.get("definition") or item).get("name", number))
                 for number, item in enumerate(value)]
        yield path + "[]", ",".join(names)
        for name, item in zip(names, value):
            yield from leaves(item, f"{path}[{name}]")
    else:
        yield path, value


def difference(theirs, ours):
    """Of two answers, what is not alike."""
    lines = [f"{where}: {left} | {right}" for where, left, right in
             (("status", theirs[0], ours[0]), ("headers", theirs[1], ours[1])) if left != right]
    try:
        left, right = (dict(leaves(json.loads(answer[2]))) for answer in (theirs, ours))
    except ValueError:
        left, right = {"body": theirs[2]}, {"body": ours[2]}
    for path in {**left, **right}:
        if left.get(path) != right.get(path):
            lines.append(f"{path}\n    theirs: {left.get(path)!r}\n    ours:   {right.get(path)!r}")
    return "\n  ".join(lines)


def of_key(entry):
    """The name of a key, in a validation or in a list of definitions."""
    return (entry.get("value") or entry)["name"]


def shown_key(entry):
    """A key without what differs from worker to worker: its text and its classes."""
    definition, value = (entry["definition"], entry["value"]) if "value" in entry else (entry, {})
    if definition and not definition["documentation"]:
        raise AssertionError(f"{of_key(entry)} has no documentation")
    if definition:
        definition["documentation"] = "TEXT"
    if value and definition and definition["type"] == "CLASS":
        value["recommended_values"] = "CLASSES"
    return entry


def keys_alike(theirs, ours):
    """The two answers, as far as lists of keys have to be alike."""
    if theirs[0] != 200 or ours[0] != 200:
        return theirs, ours
    left, right = json.loads(theirs[2]), json.loads(ours[2])
    lists = [body["configs"] if "configs" in body else body for body in (left, right)]
    names = [of_key(key) for key in lists[0]]
    lists[1][:] = [key for key in lists[1] if of_key(key) in names]
    for keys in lists:
        keys[:] = [shown_key(key) for key in keys]
    for body in (left, right):
        if "groups" in body:
            body["groups"].sort()
    return [(answer[0], answer[1], json.dumps(body, sort_keys=True))
            for answer, body in ((theirs, left), (ours, right))]


def why_not(libs, plugin):
    """Why Kafka Connect cannot be had here, or None."""
    reason = Kafka.why_not(libs)
    if reason is not None:
        return reason.replace("--kafka DIR", "KAFKA=DIR")
    if not glob.glob(f"{libs}/connect-runtime-*.jar"):
        return f"'{libs}' has no connect-runtime"
    if not plugin or not glob.glob(f"{plugin}/connect-file-*.jar"):
        return "CONNECT_FILE=DIR does not name a folder with Kafka's file connectors"
    return None


def without_ghosts(body):
    """Kafka Connect keeps a FAILED state of a task that was restarted and never existed."""
    if isinstance(body, dict):
        return {key: [task for task in value if '"inputMap" is null' not in task.get("trace", "")]
                if key == "tasks" and all("state" in task for task in value) else without_ghosts(value)
                for key, value in body.items()}
    return body


class Place:
    """One of the two workers, at `port`."""

    def __init__(self, name, port, folder):
        self.name, self.port, self.folder = name, port, folder
        os.makedirs(folder, exist_ok=True)

    def ask(self, method, target, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=100)
        connection.putrequest(method, target)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, answer.headers, content

    def states(self, name):
        status, _, content = self.ask("GET", f"/connectors/{name}/status", {}, None)
        if status != 200:
            return [str(status)]
        body = without_ghosts(json.loads(content))
        return [body["connector"]["state"]] + [task["state"] for task in body["tasks"]]

    def run(self, line, form):
        found = re.match(r"((?:\[[^\]]*\] *)*)(\S+) (\S+) ?(.*)$", line, re.DOTALL)
        if found is None:
            raise ValueError(f"not a request: {line}")
        headers, method, target, body = found.groups()
        if method == "WAIT":
            wanted = body.split()
            try:
                until(lambda: self.states(target) == wanted, seconds=WAIT_SECONDS)
            except AssertionError:
                pass
            return 0, {}, " ".join(self.states(target))
        body = body.replace("FOLDER", self.folder).encode() if body else None
        named = dict(item.split(": ", 1) for item in re.findall(r"\[([^\]]*)\]", headers))
        if body is not None:
            named.setdefault("Content-Type", "application/json")
        named = {name: value for name, value in named.items() if value != "-"}
        return self.comparable(self.ask(method, target, named, body), form)

    def comparable(self, answer, form):
        status, headers, content = answer
        headers = {name: self.masked(headers[name]) for name in COMPARED if headers[name] is not None}
        if form == "~":
            return status, {}, ""
        content = self.masked(content)
        try:
            parsed = without_ghosts(json.loads(content))
            if form == "=" and "offsets" in parsed:
                parsed = parsed["offsets"]
            if form == "=" and isinstance(parsed, list):
                parsed = sorted(parsed, key=json.dumps)
            content = json.dumps(parsed, sort_keys=True, ensure_ascii=False)
        except ValueError:
            pass
        return status, headers, content

    def masked(self, text):
        text = text.replace(self.folder, "FOLDER").replace(f"127.0.0.1:{self.port}", "WORKER")
        text = re.sub(r'"trace":"(?:(?!inputMap)(?:[^"\\]|\\.))*"', '"trace":"TRACE"', text)
        text = re.sub(r'"documentation":(null|"(?:[^"\\]|\\.)*")', '"documentation":"TEXT"', text)
        text = re.sub(r'"(kafka_cluster_id|commit)":"[^"]*"', r'"\1":"ID"', text)
        text = re.sub(r'"last_modified":\d+', '"last_modified":TIME', text)
        text = re.sub(r',"file":"inode=[^"]*"', "", text)  # Ours stores it beside the position.
        text = text.replace("org.apache.kafka.connect.errors.ConnectException: Failed to find",
                            "Failed to find")  # What it says from the second time on.
        text = re.sub(r"available connectors are: PluginDesc.*?\"", 'available connectors are: LIST"',
                      text)
        return text


def settled(places, name):
    """The states at both, when they have been alike for a while; or after some seconds."""
    since = end = time.monotonic()
    end += SETTLE_SECONDS_MAX
    while True:
        states = [" ".join(place.states(name)) for place in places]
        now = time.monotonic()
        if states[0] != states[1] or "UNASSIGNED" in states[0] or "RESTARTING" in states[0]:
            since = now
        if now - since > SETTLED_SECONDS or now > end:
            return [(0, {}, text) for text in states]
        time.sleep(0.05)


class RestPeers:
    def __init__(self, program, libs, plugin, settings=None):
        self.program, self.libs, self.plugin = program, libs, plugin
        self.settings = settings or {}
        self.folder = self.java = self.worker = None
        self.brokers, self.places = [], []

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-rest-")
        self.brokers = [RunningBroker(self.program), RunningBroker(self.program)]
        java = Place("Kafka Connect", free_port(), f"{self.folder}/a/files")
        self.start_java(java)
        self.worker = RunningWorker([self.program, "standalone"], {
            "bootstrap.servers": self.brokers[1].address,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter", **self.settings})
        self.places = [java, Place("Sluice", self.worker.port, f"{self.folder}/b/files")]

    def start_java(self, place):
        plugins, log = f"{self.folder}/plugins", f"{self.folder}/java.log"
        os.makedirs(plugins)
        os.symlink(os.path.abspath(self.plugin), f"{plugins}/file")
        settings = {"bootstrap.servers": self.brokers[0].address,
                    "listeners": f"http://127.0.0.1:{place.port}", "plugin.path": plugins,
                    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "offset.storage.file.filename": f"{self.folder}/java.offsets",
                    **self.settings}
        with open(f"{self.folder}/java.properties", "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        with open(f"{self.folder}/log4j2.properties", "w", encoding="utf-8") as file:
            file.write("rootLogger.level=WARN\nrootLogger.appenderRef.c.ref=C\n"
                       "appender.c.type=Console\nappender.c.name=C\n"
                       "appender.c.layout.type=PatternLayout\nappender.c.layout.pattern=%p %c %m%n\n")
        with open(log, "ab") as out:
            self.java = subprocess.Popen(
                ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1",
                 f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", "-cp",
                 f"{self.libs}/*:{self.libs}/libs/*", "org.apache.kafka.connect.cli.ConnectStandalone",
                 f"{self.folder}/java.properties"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

        def answers():
            if self.java.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as text:
                    raise AssertionError(f"Kafka Connect did not start:\n{text.read()[-3000:]}")
            try:
                return place.ask("GET", "/health", {}, None)[0] == 200
            except OSError:
                return False
        until(answers, lambda: "Kafka Connect does not answer", 120)

    def stop(self):
        try:
            if self.worker:
                self.worker.__exit__(None, None, None)
        finally:
            if self.java:
                self.java.terminate()
                self.java.wait(60)
            for broker in self.brokers:
                broker.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.folder:
            self.stop()

    def compare(self, requests, files=None):
        """Runs them on both. Raises AssertionError with all the differences."""
        if not self.folder:
            self.start()
        for place in self.places:
            for name, text in (files or {}).items():
                with open(os.path.join(place.folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
        found = []
        for line in filter(None, (line.strip() for line in requests.splitlines())):
            form = line[0] if line[0] in "~=?!" else ""
            line = line[len(form):].strip()
            if line.startswith("SETTLE "):
                theirs, ours = settled(self.places, line.split()[1])
            else:
                theirs, ours = (place.run(line, form) for place in self.places)
            if form == "?":
                theirs, ours = keys_alike(theirs, ours)
            if form != "!" and not alike(theirs, ours):
                found.append(f"{line[:300]}\n  {difference(theirs, ours)}")
        if found:
            text = "\n".join(found)
            raise AssertionError(text.encode("utf-8", "backslashreplace").decode())
