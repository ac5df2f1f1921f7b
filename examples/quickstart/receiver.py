"""A small HTTP server that counts what is posted to it: JSON arrays of changes."""

import http.server
import json
import threading
import time


class Receiver:
    def __init__(self):
        self.lock = threading.Lock()
        self.records = 0
        self.requests = 0
        self.ids = set()
        self.latencies_ms = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    outer.take(json.loads(body))
                    status, answer = 200, b""
                except (ValueError, TypeError, KeyError) as error:
                    status, answer = 400, f"{error!r} in {body[:300]!r}".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def take(self, changes):
        now_ms = time.time() * 1000
        with self.lock:
            self.requests += 1
            self.records += len(changes)
            for change in changes:
                self.ids.add(change["after"]["id"])
                if change["op"] != "r":
                    self.latencies_ms.append(now_ms - change["source"]["ts_ms"])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
