"""A way to a server that breaks when it is told to: connections to its port on 127.0.0.1 are passed on.

    link = FragileLink(lambda: ("127.0.0.1", 5432))
    link.cut()        # Both sides of every connection see a reset.
    link.hold()       # Nothing passes, until
    link.go_on()
    link.deafen()     # Nothing ever passes again of the connections that there are; new ones work.
    link.close()

`target` gives the address, or the path of a Unix socket, for each connection anew.
"""
import socket
import struct
import threading


class Way:
    """One connection: two sockets, a thread for each direction."""

    def __init__(self, link, client, server):
        self.link, self.ends = link, (client, server)
        self.deaf = False
        for source, target in (self.ends, self.ends[::-1]):
            threading.Thread(target=self.pump, args=(source, target), daemon=True).start()

    def pump(self, source, target):
        try:
            while data := source.recv(1 << 16):
                self.link.open.wait()
                if self.deaf:
                    return  # Both stay open, and nobody hears of it.
                target.sendall(data)
        except OSError:
            pass
        if not self.deaf:
            self.end(reset=False)

    def end(self, reset):
        self.link.forget(self)
        for end in self.ends:
            try:
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            except OSError:
                pass  # It has ended already.
            end.close()


class FragileLink:
    def __init__(self, target):
        self.target = target
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()
        self.ways = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        self.open.wait()
        target = self.target()
        server = socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET)
        try:
            server.connect(target)
            for end in (client, server):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            client.close()
            server.close()
            return
        with self.lock:
            self.ways.add(Way(self, client, server))

    def forget(self, way):
        with self.lock:
            self.ways.discard(way)

    def taken(self):
        with self.lock:
            return list(self.ways)

    def cut(self):
        for way in self.taken():
            way.end(reset=True)

    def hold(self):
        self.open.clear()

    def go_on(self):
        self.open.set()

    def deafen(self):
        for way in self.taken():
            way.deaf = True

    def close(self):
        self.listener.close()
        self.go_on()
        self.cut()
