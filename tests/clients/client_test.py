"""A client of other people against `sluice broker`: fetches it, starts a broker, and runs the
client's own test program in its own language, which prints TAP.

usage: client_test.py SLUICE CACHE CLIENT [WORD…]    CACHE is a folder for what is fetched

The program gets the broker's address as its first argument, then the words, which choose cases.
When it prints a line `broker crash` or `broker restart`, that is done to the broker, on the same
port, and a line `up` is sent to its standard input.
"""
import os
import shutil
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, "..", "lib")
sys.path.insert(0, LIB)

import fetch  # noqa: E402
from running_broker import RunningBroker  # noqa: E402
from tap import Skip  # noqa: E402

LIMIT_SECONDS = 600
SETTINGS = {"group.min.session.timeout.ms": "500", "num.partitions": "1",
            "message.max.bytes": "2000000"}


def node(folder, script):
    def command(cache):
        place = fetch.npm(cache, folder, compiled=folder == "node-rdkafka")
        for name in ("tap.js", script):  # Modules are looked for beside their importer.
            shutil.copy(os.path.join(HERE, "node", name), place)
        return ["node", os.path.join(place, script)], dict(os.environ)
    return command


def go(program):
    return lambda cache: ([fetch.go(cache, program)], dict(os.environ))


def python(script, *packages):
    def command(cache):
        env = fetch.pip(cache, *packages)
        env["PYTHONPATH"] += os.pathsep + LIB
        return [sys.executable, os.path.join(HERE, "python", script)], env
    return command


def java(version):
    def command(cache):
        path = fetch.javac(cache, version, fetch.maven(cache, version), "Cases.java", "Client.java")
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path,
                "Client"], dict(os.environ)
    return command


CLIENTS = {
    "confluent-kafka": python("confluent.py", "confluent-kafka==2.16.1"),
    "franz-go": go("franz"),
    "java-3.9": java("3.9.1"),
    "java-4.2": java("4.2.0"),
    "kafka-go": go("kafkago"),
    "kafka-python": python("kafka_python.py", "kafka-python==3.0.12", "python-snappy", "lz4",
                           "zstandard"),
    "kafkajs": node("node", "kafkajs.js"),
    "node-rdkafka": node("node-rdkafka", "node-rdkafka.js"),
    "platformatic": node("node", "platformatic.mjs"),
    "sarama": go("sarama"),
}


def obey(broker, order):
    if order == "crash":
        broker.crash()
    else:
        broker.stop()
    broker.start()


def play(broker, command, env, words):
    """Runs the program to its end, passing on what it prints. Returns how it ended."""
    program = subprocess.Popen(command + [broker.address] + words, env=env, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               start_new_session=True)
    limit = threading.Timer(LIMIT_SECONDS, os.killpg, [program.pid, signal.SIGKILL])
    limit.start()
    try:
        for line in program.stdout:
            if line.startswith("broker "):
                obey(broker, line.split()[1])
                program.stdin.write("up\n")
                program.stdin.flush()
            else:
                print(line, end="", flush=True)
        return program.wait()
    finally:
        limit.cancel()
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def main():
    sluice, cache, client = sys.argv[1:4]
    try:
        command, env = CLIENTS[client](os.path.abspath(cache))
    except Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    with RunningBroker(sluice, SETTINGS) as broker:
        ended = play(broker, command, env, sys.argv[4:])
        if ended != 0:
            print(f"# the program ended with {ended}")
            print("".join(f"# broker: {line}\n" for line in broker.log().splitlines()[-40:]))
    return 1 if ended != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
