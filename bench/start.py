"""From exec to an answer: broker and worker; and what each process weighs when it is idle.

usage: bench/start.py [--repeats N] [--program build/sluice]

The broker has answered when a metadata request has; the worker when GET / has, beside a broker
that runs. Memory is PSS: shared pages are divided among those who share them.
"""
import argparse
import http.client
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "examples", "quickstart")]
from private_postgres import free_port
from system import Sluice

METADATA = struct.pack(">hhih4si", 3, 1, 1, 4, b"test", 0)


def broker_answers(port):
    with socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(struct.pack(">i", len(METADATA)) + METADATA)
        return len(connection.recv(4)) == 4


def rest_answers(port):
    rest = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    rest.request("GET", "/")
    return rest.getresponse().status == 200


def milliseconds(command, answers, port):
    """From the start of `command` until answers(port); the process runs on."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            if answers(port):
                return (time.monotonic() - began) * 1000, process
        except OSError:
            time.sleep(0.0002)


def once(program):
    folder = tempfile.mkdtemp(prefix="sluice-start-")
    broker_port, rest_port = free_port(), free_port()
    with open(f"{folder}/worker.properties", "w", encoding="utf-8") as file:
        file.write(f"bootstrap.servers=127.0.0.1:{broker_port}\nlisteners=http://127.0.0.1:{rest_port}\n"
                   f"offset.storage.file.filename={folder}/offsets\n"
                   "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
                   "value.converter=org.apache.kafka.connect.json.JsonConverter\n")
    broker_ms, broker = milliseconds(
        [program, "broker", "-o", f"log.dirs={folder}/data", "-o",
         f"listeners=PLAINTEXT://127.0.0.1:{broker_port}"], broker_answers, broker_port)
    worker_ms, worker = milliseconds([program, "standalone", f"{folder}/worker.properties"],
                                     rest_answers, rest_port)
    for process in (worker, broker):
        process.terminate()
        process.wait()
    shutil.rmtree(folder)
    return broker_ms, worker_ms


def idle_memory(program):
    with Sluice(program) as sluice:
        source = f"{sluice.folder}/in.txt"
        open(source, "w", encoding="utf-8").close()
        sluice.call("POST", "/connectors", {"name": "idle", "config": {
            "connector.class": "FileStreamSource", "file": source, "topic": "idle"}})
        while sluice.status()["idle"]["connector"]["state"] != "RUNNING":
            time.sleep(0.01)
        time.sleep(2)
        for title, mb in sluice.processes().values():
            print(f"idle {title:<22} {mb:6.1f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    program = os.path.abspath(given.program)
    runs = [once(program) for _ in range(given.repeats)]
    for index, name in enumerate(("broker: exec to metadata", "worker: exec to REST")):
        values = [run[index] for run in runs]
        print(f"{name:<26} {statistics.median(values):6.1f} ms ({min(values):.1f} to {max(values):.1f})")
    idle_memory(program)


if __name__ == "__main__":
    main()
