"""Who may ask REST, and how: TLS, certificates, passwords, /admin of its own, added headers; with
curl, openssl and Python's own TLS as the strangers.

usage: rest_edge_test.py SLUICE [WORD…]
"""
import base64
import email.utils
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_worker import RunningWorker
from tap import check_equal, main, test

SLUICE = os.path.abspath(sys.argv[1])
EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
MODULE = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule"


def worker(**settings):
    return RunningWorker([SLUICE, "standalone"], {
        name.replace("__", "-").replace("_", "."): value for name, value in settings.items()})


def refusal(settings, environment=None):
    """What a worker with these settings says before it ends with 2."""
    folder = tempfile.mkdtemp(prefix="sluice-edge-")
    try:
        path = os.path.join(folder, "w.properties")
        all_settings = {"bootstrap.servers": "127.0.0.1:1", "listeners": "http://127.0.0.1:0",
                        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
                        "offset.storage.file.filename": os.path.join(folder, "offsets"), **settings}
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in all_settings.items())
        done = subprocess.run([SLUICE, "standalone", path], capture_output=True, timeout=120,
                              check=False, env={**os.environ, **(environment or {})})
        check_equal(done.returncode, 2)
        return done.stderr.decode()
    finally:
        shutil.rmtree(folder)


def check_part(text, part):
    if part not in text:
        raise AssertionError(f"{text!r} lacks {part!r}")


class Papers:
    """Keys and certificates by openssl: a signer, a server, a client, a stranger."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-papers-")
        self.request("signer", "/CN=signer", None)
        self.request("server", "/CN=localhost", "signer",
                     "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.request("client", "/CN=client", "signer", "extendedKeyUsage=clientAuth")
        self.request("wrong", "/CN=wrong", "signer", "extendedKeyUsage=serverAuth")
        self.request("stranger", "/CN=stranger", None)
        with open(self.path("server.both"), "wb") as both:
            for name in ("server.key", "server.crt", "signer.crt"):
                with open(self.path(name), "rb") as part:
                    both.write(part.read())

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, timeout=120,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def request(self, name, subject, signer, extension=None):
        signed = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
        extended = ["-addext", extension] if extension else []
        usage = [] if signer is None else ["-addext", "basicConstraints=critical,CA:FALSE"]
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", subject,
                     *signed, *usage, *extended)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def line(self, name):
        """As one writes it into a .properties file."""
        return self.text(name).replace("\n", "\\n")


PAPERS = Papers()


def curl(url, *arguments, signer="signer.crt"):
    """(exit code, status) of a request that trusts `signer`."""
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "100",
                           "--cacert", PAPERS.path(signer), *arguments, url + "/"],
                          capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode()


def as_client(name):
    return ["--cert", PAPERS.path(f"{name}.crt"), "--key", PAPERS.path(f"{name}.key")]


@test
def https_and_http_are_served_side_by_side():
    with worker(listeners="https://127.0.0.1:0,http://127.0.0.1:0",
                ssl_keystore_type="PEM", ssl_keystore_location=PAPERS.path("server.both")) as w:
        (_, tls), (_, plain) = w.sites
        check_equal((tls[:17], plain[:16]), ("https://127.0.0.1", "http://127.0.0.1"))
        check_equal(curl(tls), (0, "200"))
        check_equal(curl(plain), (0, "200"))
        check_equal(curl(tls, signer="stranger.crt")[0], 60)
        check_equal(curl(tls.replace("https", "http"))[1] == "200", False)
        # The worker is called by its http listener, as Kafka Connect does.
        w.port = int(plain.rsplit(":", 1)[1])
        check_equal(w.call("GET", "/")[0], 200)


@test
def a_request_by_tls_gets_its_location_by_tls():
    with worker(listeners="https://127.0.0.1:0", ssl_keystore_location=PAPERS.path("server.both")) as w:
        context = ssl.create_default_context(cafile=PAPERS.path("signer.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", w.port, timeout=120, context=context)
        # Large bodies in both directions, on one connection.
        config = {f"key.{number}": "x" * 1000 for number in range(60)}
        for _ in range(3):
            connection.request("PUT", "/connector-plugins/FileStreamSource/config/validate",
                               json.dumps({"connector.class": "FileStreamSource", **config}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            check_equal((answer.status, len(content) > 10000), (200, True))
        source = {"connector.class": "FileStreamSource", "topic": "t", "file": "/dev/null"}
        connection.request("POST", "/connectors", json.dumps({"name": "a b", "config": source}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        check_equal((answer.status, answer.headers["Location"]),
                    (201, f"https://127.0.0.1:{w.port}/connectors/a%20b"))
        connection.close()


@test
def keys_come_in_every_form():
    PAPERS.openssl("pkcs12", "-export", "-inkey", "server.key", "-in", "server.crt", "-certfile",
                   "signer.crt", "-out", "server.p12", "-passout", "pass:open sesame")
    PAPERS.openssl("pkcs12", "-export", "-nokeys", "-in", "signer.crt", "-out", "trust.p12",
                   "-passout", "pass:sesame")
    PAPERS.openssl("pkcs8", "-topk8", "-in", "server.key", "-out", "locked.key", "-v2", "aes256",
                   "-passout", "pass:key word")
    one_line = " ".join(PAPERS.text("locked.key").split("\n"))
    for settings in (
            {"listeners.https.ssl.keystore.location": PAPERS.path("server.p12"),
             "listeners.https.ssl.keystore.password": "open sesame",
             "listeners.https.ssl.truststore.location": PAPERS.path("trust.p12"),
             "listeners.https.ssl.truststore.password": "sesame",
             # Without the prefix they are the clients' only.
             "ssl.keystore.location": "/no/such", "ssl.client.auth": "none"},
            {"ssl.keystore.type": "PEM", "ssl.keystore.key": one_line,
             "ssl.keystore.certificate.chain": PAPERS.line("server.crt"),
             "ssl.key.password": "key word", "ssl.truststore.type": "PEM",
             "ssl.truststore.certificates": PAPERS.line("signer.crt")}):
        prefix = "listeners.https." if "ssl.client.auth" in settings else ""
        with RunningWorker([SLUICE, "standalone"], {
                "listeners": "https://127.0.0.1:0", **settings,
                f"{prefix}ssl.client.auth": "required"}) as w:
            check_equal(curl(w.sites[0][1], *as_client("client")), (0, "200"))
            check_equal(curl(w.sites[0][1])[1], "000")


@test
def clients_show_who_they_are():
    for how, allowed in (("none", ["", "client", "wrong", "stranger"]),
                         ("requested", ["", "client"]), ("required", ["client"])):
        with worker(listeners="https://127.0.0.1:0", ssl_client_auth=how,
                    ssl_keystore_location=PAPERS.path("server.both"),
                    ssl_truststore_location=PAPERS.path("signer.crt")) as w:
            for protocol in ("--tlsv1.2", "--tlsv1.3"):
                last = ["--tls-max", "1.2"] if protocol == "--tlsv1.2" else []
                for who in ("", "client", "wrong", "stranger"):
                    papers = as_client(who) if who else []
                    got = curl(w.sites[0][1], protocol, *last, *papers)[1]
                    check_equal((how, protocol, who, got == "200"),
                                (how, protocol, who, who in allowed))


def handshake(port, *arguments):
    """The protocol and the suite that openssl's client gets, or None."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-brief", *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    words = dict(line.split(": ", 1) for line in done.stderr.decode().splitlines() if ": " in line)
    if "Ciphersuite" not in words:
        return None
    return words["Protocol version"], words["Ciphersuite"]


@test
def protocols_and_suites_are_limited():
    both = {"listeners": "https://127.0.0.1:0", "ssl.keystore.location": PAPERS.path("server.both")}
    with RunningWorker([SLUICE, "standalone"], {**both, "ssl.enabled.protocols": "TLSv1.2"}) as w:
        check_equal(handshake(w.port)[0], "TLSv1.2")
        check_equal(handshake(w.port, "-tls1_3"), None)
    with RunningWorker([SLUICE, "standalone"], {
            **both, "ssl.cipher.suites": "TLS_CHACHA20_POLY1305_SHA256"}) as w:
        check_equal(handshake(w.port), ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"))
        check_equal(handshake(w.port, "-tls1_2"), None)
    with RunningWorker([SLUICE, "standalone"], {
            **both, "ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}) as w:
        check_equal(handshake(w.port, "-tls1_3"), None)
        check_equal(handshake(w.port, "-tls1_2"), ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))
        check_equal(handshake(w.port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), None)
    with RunningWorker([SLUICE, "standalone"], both) as w:
        check_equal(handshake(w.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), None)
        # What is meant for REST does not stand in the way of clients that have no TLS.
        if "keystore" in w.log():
            raise AssertionError(w.log())


@test
def a_store_that_cannot_be_used_is_refused_with_what_to_do():
    with open(PAPERS.path("java.jks"), "wb") as file:
        file.write(b"\xfe\xed\xfe\xed" + bytes(100))
    with open(PAPERS.path("noise"), "wb") as file:
        file.write(bytes(range(200)))
    PAPERS.openssl("pkcs12", "-export", "-inkey", "server.key", "-in", "server.crt", "-out",
                   "locked.p12", "-passout", "pass:right")
    PAPERS.openssl("pkcs8", "-topk8", "-in", "server.key", "-out", "shut.key", "-v2", "aes256",
                   "-passout", "pass:right")
    server = PAPERS.line("server.crt")
    for settings, part in (
            ({}, "https needs a private key and a certificate: set ssl.keystore.location, or"),
            ({"ssl.keystore.location": "/no/such"}, "'/no/such' cannot be read: No such file"),
            ({"ssl.keystore.location": PAPERS.path("java.jks")},
             "java.jks' begins as a JKS store and is none: it is cut off or damaged"),
            ({"ssl.keystore.location": PAPERS.path("noise")}, "is not a JKS or PKCS12 store"),
            ({"ssl.keystore.location": PAPERS.path("locked.p12"), "ssl.keystore.password": "wr0ng"},
             "is not opened by ssl.keystore.password"),
            ({"ssl.keystore.location": PAPERS.path("server.crt")},
             "0 private keys and 1 certificates in PEM: must be one key and the chain"),
            ({"ssl.keystore.type": "BCFKS", "ssl.keystore.location": "/x"},
             "ssl.keystore.type is 'BCFKS': must be JKS, PKCS12 or PEM"),
            ({"ssl.keystore.key": PAPERS.line("shut.key"), "ssl.keystore.certificate.chain": server},
             "its private key cannot be read, without ssl.key.password"),
            ({"ssl.keystore.key": PAPERS.line("shut.key"), "ssl.keystore.certificate.chain": server,
              "ssl.key.password": "wr0ng"}, "its private key cannot be read with ssl.key.password"),
            ({"ssl.keystore.key": PAPERS.line("client.key"), "ssl.keystore.certificate.chain": server},
             "ssl.keystore.key: The certificate and the given key do not match"),
            ({"ssl.keystore.key": PAPERS.line("server.key")},
             "ssl.keystore.key and ssl.keystore.certificate.chain go together: one is missing"),
            ({"ssl.keystore.location": PAPERS.path("server.both"), "ssl.client.auth": "required"},
             "ssl.client.auth is 'required': set ssl.truststore.location"),
            ({"ssl.keystore.location": PAPERS.path("server.both"), "ssl.enabled.protocols": "SSLv3"},
             "ssl.enabled.protocols has 'SSLv3': must be TLSv1.3"),
            ({"ssl.keystore.location": PAPERS.path("server.both"), "ssl.cipher.suites": "RC5"},
             "ssl.cipher.suites has 'RC5', which GnuTLS has not got"),
            ({"ssl.keystore.location": PAPERS.path("server.both"), "ssl.client.auth": "perhaps"},
             "Invalid value perhaps for configuration ssl.client.auth")):
        said = refusal({"listeners": "https://127.0.0.1:0", **settings})
        check_part(said, part)
        if "wr0ng" in said or "BEGIN" in said:
            raise AssertionError(f"a secret is shown: {said}")


@test
def admin_is_served_where_admin_listeners_say():
    with RunningWorker([SLUICE, "standalone"], {
            "admin.listeners": "https://127.0.0.1:0,http://127.0.0.1:0",
            "admin.listeners.https.ssl.keystore.location": PAPERS.path("server.both"),
            "access.control.allow.origin": "*",
            "response.http.headers.config": "set X-Frame-Options: DENY"}) as w:
        check_equal([kind for kind, _ in w.sites], ["rest", "admin", "admin"])
        check_equal(w.call("GET", "/admin/loggers")[0], 404)
        check_equal(w.call("OPTIONS", "/admin/loggers")[0], 404)
        check_equal(w.call("GET", "/connectors"), (200, []))
        check_equal(curl(w.sites[1][1] + "/admin/loggers"), (0, "200"))
        w.port = int(w.sites[2][1].rsplit(":", 1)[1])
        status, headers, _ = w.request("GET", "/admin/loggers", headers={"Origin": "http://o"})
        check_equal((status, headers["X-Frame-Options"], headers["Vary"]), (200, None, None))
        for path in ("/", "/connectors", "/health", "/metrics", "/nope"):
            check_equal(w.call("GET", path), (404, {"error_code": 404,
                                                    "message": "HTTP 404 Not Found"}))
    with worker(admin_listeners="") as w:
        check_equal(w.call("GET", "/admin/loggers")[0], 404)
        check_equal(len(w.sites), 1)
    with worker() as w:
        check_equal(w.call("GET", "/admin/loggers")[0], 200)
    check_part(refusal({"admin.listeners": "ftp://x:1"}),
               "admin.listeners: listener 'ftp://x:1': Listener protocol must be either")


class Users:
    """A file of login modules, and one of users."""

    def __init__(self, users="joe=pass\\:word\nann=\n"):
        self.folder = tempfile.mkdtemp(prefix="sluice-users-")
        self.file = os.path.join(self.folder, "users.properties")
        self.login = os.path.join(self.folder, "jaas.conf")
        self.write(self.file, users)
        self.write(self.login, f'KafkaConnect {{\n  {MODULE} required\n  file="{self.file}";\n}};\n')

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def basic(text, scheme="Basic "):
    return {"Authorization": scheme + base64.b64encode(text.encode()).decode()}


@test
def a_password_is_asked_for():
    users = Users()
    with RunningWorker([SLUICE, "standalone"], {
            "rest.extension.classes": EXTENSION, "java.security.auth.login.config": users.login}) as w:
        for path in ("/", "/connectors", "/health", "/metrics", "/admin/loggers", "/connectors/x"):
            status, headers, content = w.request("GET", path)
            check_equal((status, headers["Content-Type"], content),
                        (401, "application/json", b"User cannot access the resource."))
            check_part(headers["WWW-Authenticate"], "Basic realm=")
        for given in (basic("joe:pass:word"), basic("ann:"), basic("joe:pass:word", "bAsIc "),
                      {"Authorization": "Basic am9lOnBhc3M6d29yZA"}):
            check_equal(w.request("GET", "/connectors", headers=given)[0], 200)
        for given in (basic("joe:pass:wore"), basic("joe:"), basic("joe:pass:wordpass:word"),
                      basic("nobody:"), basic(":pass:word"), basic("joe"), basic("joe:pass:word\0x"),
                      {"Authorization": "Basic"}, {"Authorization": "Basic !!!!"},
                      {"Authorization": "Bearer x"}, basic("joe:pass:word", "Digest ")):
            check_equal(w.request("GET", "/connectors", headers=given)[0], 401)
        # In Kafka Connect's order: what is wrong with the request itself comes first.
        check_equal(w.request("GET", "/nope")[0], 404)
        check_equal(w.request("DELETE", "/connectors")[0], 405)
        check_equal(w.request("GET", "/connectors", headers={"Accept": "text/plain"})[0], 406)
        check_equal(w.request("POST", "/connectors", raw=b"x",
                              headers={"Content-Type": "text/plain"})[0], 415)
        check_equal(w.request("POST", "/connectors", raw=b"no JSON")[0], 401)
        check_equal(w.request("HEAD", "/connectors")[0], 401)
        status, headers, _ = w.request("OPTIONS", "/connectors")
        check_equal((status, headers["Content-Type"]), (401, "text/plain"))
        # Requests of other workers are signed in another way.
        check_equal(w.call("PUT", "/connectors/x/fence")[0], 500)
        check_equal(w.call("POST", "/connectors/x/tasks", [])[0], 500)


@test
def the_login_file_is_found_in_kafka_opts_and_admin_listeners_ask_for_nothing():
    users = Users("joe=word\n")
    os.environ["KAFKA_OPTS"] = f"-Xmx1g -Djava.security.auth.login.config={users.login} -Dx=y"
    try:
        with worker(rest_extension_classes=EXTENSION, admin_listeners="http://127.0.0.1:0") as w:
            check_equal(w.request("GET", "/connectors", headers=basic("joe:word"))[0], 200)
            check_equal(w.request("GET", "/connectors")[0], 401)
            w.port = int(w.sites[1][1].rsplit(":", 1)[1])
            check_equal(w.request("GET", "/admin/loggers")[0], 200)
    finally:
        del os.environ["KAFKA_OPTS"]


@test
def a_file_without_users_lets_nobody_in():
    users = Users("# none\n")
    with RunningWorker([SLUICE, "standalone"], {
            "rest.extension.classes": EXTENSION, "java.security.auth.login.config": users.login}) as w:
        check_equal(w.request("GET", "/connectors", headers=basic("joe:word"))[0], 401)
        check_part(w.log(), "has no users: nobody is let in")


@test
def what_cannot_keep_anybody_out_is_refused():
    users = Users()
    for classes, login, part in (
            ("org.example.OnlyFriends", "x", "rest.extension.classes has 'org.example.OnlyFriends'"),
            (EXTENSION, None, "set java.security.auth.login.config to a file of login modules"),
            (EXTENSION, "/no/such", "'/no/such' cannot be read: No such file"),
            (EXTENSION, "Other { x.Y required; };", "has no application KafkaConnect"),
            (EXTENSION, "KafkaConnect { org.example.Ldap required; };", "the first 'org.example.Ldap'"),
            (EXTENSION, f"KafkaConnect {{ {MODULE} required; }};", "has no option file"),
            (EXTENSION, f"KafkaConnect {{ {MODULE} required file=\"/no/such\"; }};",
             "the file of users and passwords cannot be read: cannot read '/no/such'"),
            (EXTENSION, "KafkaConnect {\n  x.Y perhaps;\n};", ":2: 'perhaps' is not required,"),
            (EXTENSION, "KafkaConnect {\n  x.Y required file=\"a;\n};", ":2: a quoted text")):
        if login and not login.startswith("/"):
            users.write(users.login, login)
            login = users.login
        settings = {"rest.extension.classes": classes}
        if login:
            settings["java.security.auth.login.config"] = login
        check_part(refusal(settings), part)


@test
def answers_get_the_headers_that_are_configured():
    rules = ('set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store", '
             'add Cache-Control: private, setDate X-Then: 3600000, ADDDATE X-Was: -1000, '
             'set X-Frame-Options: SAMEORIGIN')
    with worker(response_http_headers_config=rules) as w:
        for path, wanted in (("/connectors", 200), ("/nope", 404)):
            before = time.time()
            status, headers, _ = w.request("GET", path)
            check_equal(status, wanted)
            check_equal(headers.get_all("X-Frame-Options"), ["SAMEORIGIN"])
            check_equal(headers.get_all("Cache-Control"), ["no-cache, no-store", "private"])
            then = email.utils.parsedate_to_datetime(headers["X-Then"]).timestamp()
            check_equal(-2 < then - before - 3600 < 60, True)
            was = email.utils.parsedate_to_datetime(headers["X-Was"]).timestamp()
            check_equal(-3 < was - before + 1 < 60, True)
    check_part(refusal({"response.http.headers.config": "put X: y"}),
               "response.http.headers.config: Invalid header config action: 'put'. Expected one of "
               "[set, add, setDate, addDate]")


@test
def browsers_are_told_who_may_ask():
    with worker(access_control_allow_origin="http://good.example,https://.*[.]wide[.]example",
                access_control_allow_methods="GET,PUT") as w:
        ask = {"Access-Control-Request-Method": "DELETE"}

        def told(method, path, **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            status, got, _ = w.request(method, path, headers=headers)
            return (status, got["Vary"], got["Access-Control-Allow-Origin"],
                    got["Access-Control-Allow-Methods"])

        good, wide = "http://good.example", "https://a.b.WIDE.example"
        check_equal(told("GET", "/connectors"), (200, "Origin", None, None))
        check_equal(told("GET", "/connectors", Origin=good), (200, "Origin", good, None))
        check_equal(told("GET", "/connectors", Origin=wide), (200, "Origin", wide, None))
        check_equal(told("GET", "/connectors", Origin=good + ".bad"), (200, "Origin", None, None))
        check_equal(told("GET", "/nope", Origin=good), (404, "Origin", good, None))
        check_equal(told("OPTIONS", "/connectors", Origin=good), (200, "Origin", good, None))
        check_equal(told("OPTIONS", "/connectors", Origin=good, **ask),
                    (200, "Origin", good, "GET,PUT"))
        check_equal(told("OPTIONS", "/nope", Origin=good, **ask), (404, "Origin", good, "GET,PUT"))
        check_equal(told("OPTIONS", "/connectors", Origin="http://bad.example", **ask),
                    (200, "Origin", None, None))


try:
    main(sys.argv[2:])
finally:
    shutil.rmtree(PAPERS.folder)
