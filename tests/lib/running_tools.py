"""The tools on a broker of their own, in our dress and in Kafka's.

    with Tools(program) as tools:
        status, out, error = tools.run("topics", "list")
        status, out, error = tools.kafka("kafka-topics", "--list")
"""
import os
import subprocess

from running_broker import RunningBroker


class Tools:
    def __init__(self, program, settings=None):
        self.program = program
        self.broker = RunningBroker(program, settings)

    def run(self, *words, stdin="", program=None):
        done = subprocess.run(
            [program or self.program, *words, "--bootstrap-server", self.broker.address],
            input=stdin, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def kafka(self, tool, *words, stdin=""):
        return self.run(*words, stdin=stdin,
                        program=os.path.join(os.path.dirname(self.program), tool))

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.broker.__exit__(kind, *rest)
