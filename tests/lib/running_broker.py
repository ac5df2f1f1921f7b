"""A broker for a test: `sluice broker` with its data in a temporary folder, on a free port.

    with RunningBroker(program, {"num.partitions": "4"}) as broker:
        consumer = Consumer({"bootstrap.servers": broker.address})

Its log is printed as a comment when the test failed.
"""
import os
import shutil
import signal
import subprocess
import tempfile


class RunningBroker:
    def __init__(self, program, settings=None):
        self.program = program
        self.settings = dict(settings or {})
        self.folder = tempfile.mkdtemp(prefix="sluice-broker-")
        self.log_path = os.path.join(self.folder, "broker.log")
        self.process = None
        self.address = None
        self.start()

    def spawn(self):
        """Starts it on its data, again on the port it had, and does not wait for it."""
        settings = {"listeners": f"PLAINTEXT://{self.address or '127.0.0.1:0'}",
                    "log.dirs": os.path.join(self.folder, "data"), **self.settings}
        command = [self.program, "broker"]
        for key, value in settings.items():
            command += ["-o", f"{key}={value}"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log,
                                            text=True)

    def start(self):
        self.spawn()
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise AssertionError(f"the broker did not start: {line!r}\n{self.log()}")
        self.address = line.split()[-1]

    def stop(self, how=signal.SIGTERM):
        """Stops it; SIGKILL for a crash. Returns how it ended."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        ended = self.process.wait(timeout=100)
        self.process.stdout.close()
        self.process = None
        return ended

    def crash(self):
        self.stop(signal.SIGKILL)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        ended = self.stop()
        log = self.log()
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not None:
            for line in log.splitlines()[-40:]:
                print(f"# broker: {line}")
        elif ended != 0:
            raise AssertionError(f"the broker ended with {ended}:\n{log}")
