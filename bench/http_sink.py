"""Topic to HTTP server, one record a request: requests a second, beside wrk on the same receiver.

usage: bench/http_sink.py [--records N] [--bytes N] [--repeats N] [--program build/sluice]

Three rows for 1 and for 16 connections: wrk (one thread, the same body), the sink alone with records
from memory, and the whole way from a topic through a worker. wrk is Debian's; without it its row is
left out. Prints every run, then median, least and most.
"""
import argparse
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "examples", "quickstart")]
from system import Sluice

TEXT = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"}


def by_wrk(port, connections, size, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "POST"\nwrk.body = string.rep("x", {size})\n')
        script.flush()
        said = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name,
             f"http://127.0.0.1:{port}/in"], check=True, capture_output=True, text=True).stdout
    return float(said.split("Requests/sec:")[1].split()[0])


def by_sink(program, port, connections, records, size):
    return float(subprocess.run(
        [program, "send", f"http://127.0.0.1:{port}/in", str(connections), str(records), str(size), "1"],
        check=True, capture_output=True, text=True).stdout)


def count(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    return int(connection.getresponse().read())


def by_sluice(sluice, port, connections, records, name):
    """From the first request to the last."""
    begun, last = count(port), None
    sluice.call("POST", "/connectors", {"name": name, "config": {
        "connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "bench-http",
        "http.url": f"http://127.0.0.1:{port}/in", "http.authorization.type": "none",
        "max.in.flight.requests": str(connections),
        "request.order": "none", "consumer.override.max.poll.records": "5000", **TEXT}})
    while (now := count(port) - begun) < records:
        if last is None and now > 0:
            last = (time.monotonic(), now)
        time.sleep(0.02)
    rate = (records - last[1]) / (time.monotonic() - last[0])
    sluice.call("DELETE", f"/connectors/{name}")
    return rate


def fill_topic(sluice, records, size):
    subprocess.run([sluice.program, "topics", "create", "bench-http", "--partitions", "1",
                    "--bootstrap-server", sluice.broker], check=True, capture_output=True)
    source = f"{sluice.folder}/lines"
    with open(source, "w", encoding="ascii") as file:
        file.writelines(f"{number:0{size}d}\n" for number in range(records))
    sluice.call("POST", "/connectors", {"name": "fill", "config": {
        "connector.class": "FileStreamSource", "file": source, "topic": "bench-http", **TEXT}})
    while sluice.topics().get("bench-http", 0) < records:
        time.sleep(0.05)
    sluice.call("DELETE", "/connectors/fill")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=300000)
    parser.add_argument("--bytes", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    program = os.path.abspath(given.program)
    bench = os.path.join(os.path.dirname(program), "bench", "bench-http")
    rates = {}
    receiver = subprocess.Popen([bench, "receive"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(receiver.stdout.readline())
        with Sluice(program) as sluice:
            fill_topic(sluice, given.records, given.bytes)
            for number in range(given.repeats):
                for connections in (1, 16):
                    records = given.records // (8 if connections == 1 else 1)
                    runs = [("sink", by_sink(bench, port, connections, records, given.bytes)),
                            ("sluice", by_sluice(sluice, port, connections, given.records,
                                                 f"http-{connections}-{number}"))]
                    if shutil.which("wrk"):
                        runs.append(("wrk", by_wrk(port, connections, given.bytes, given.seconds)))
                    for name, rate in runs:
                        print(f"{name:8} {connections:3} connections {rate:10.0f} requests/s", flush=True)
                        rates.setdefault((connections, name), []).append(rate)
    finally:
        receiver.kill()
        receiver.wait()
    for (connections, name), list_of in sorted(rates.items()):
        print(f"{connections:3} {name:8} median {statistics.median(list_of):9.0f}  "
              f"least {min(list_of):9.0f}  most {max(list_of):9.0f}")


if __name__ == "__main__":
    main()
