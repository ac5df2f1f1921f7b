"""A plugin outside the tree: built against an installed Sluice that was moved, then listed and run.

Arguments: meson, the build folder, the source folder, the prefix, libdir, and whether the
.pc files of this build follow a tree that moves."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

meson, build, source, prefix, libdir, relocatable = sys.argv[1:]
number = failed = 0


def ok(good, what, detail=""):
    global number, failed
    number += 1
    failed += not good
    for line in "" if good else detail.splitlines():
        print("#", line)
    print("ok" if good else "not ok", number, "-", what, flush=True)


def run(command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          **options)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    result = run([meson, "install", "-C", build, "--no-rebuild", "--destdir", folder / "first"])
    ok(result.returncode == 0, "the tree is installed", result.stdout + result.stderr)
    tree = folder / "moved" / "elsewhere"
    tree.parent.mkdir()
    shutil.move(str(folder / "first") + prefix, tree)

    work = folder / "work"
    shutil.copytree(pathlib.Path(source) / "examples" / "out-of-tree", work)
    env = dict(os.environ, PKG_CONFIG_PATH=str(tree / libdir / "pkgconfig"))
    pkg_config = "pkg-config"
    if relocatable != "moves":
        pkg_config += f" --define-variable=prefix={tree}"
    env["PKG_CONFIG"] = pkg_config
    for target in ("heartbeat.so", "check", "install"):
        result = run(["make", "-C", work, target], env=env)
        ok(result.returncode == 0, f"make {target}", result.stdout + result.stderr)

    plugins = tree / libdir / "sluice" / "plugins"
    abi = run(pkg_config.split() + ["--variable=plugin_abi", "sluice-1"],
              env=env).stdout.strip()
    ok(abi == "1.0", "pkg-config tells the plugin ABI", abi)
    ok((plugins / "heartbeat.so").exists(), "pkg-config tells the moved plugin folder")

    sluice = tree / "bin" / "sluice"
    result = run([sluice, "plugins", "--json"], cwd=folder)
    listed = json.loads(result.stdout or "{}").get("plugins", [])
    paths = {one["name"]: one["path"] for one in listed}
    ok(result.returncode == 0 and "heartbeat-source" in paths,
       "the moved sluice lists it", result.stdout + result.stderr)
    ok("file-source" in paths and all(str(plugins.resolve()) in str(pathlib.Path(path).resolve())
                                      for path in paths.values()),
       "and its own plugins, from the tree it was moved to", str(paths))
    result = run([sluice, "plugins", "show", "Heartbeat"], cwd=folder)
    ok("interval.ms" in result.stdout and 'default "1s"' in result.stdout,
       "and shows its page by the short Java name", result.stdout + result.stderr)

    connector = folder / "beats.properties"
    connector.write_text("name=beats\nconnector.class=org.example.HeartbeatConnector\n"
                         "topic=beats\ninterval.ms=50ms\nmessage=from afar\n"
                         "value.converter=org.apache.kafka.connect.storage.StringConverter\n")
    ready = folder / "ready"
    with open(folder / "log", "w") as log:
        up = subprocess.Popen([sluice, "up", connector, "--data", folder / "data",
                               "--broker-port", "0", "--rest-port", "0",
                               "--ready-file", ready], cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not ready.exists() and up.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            addresses = dict(line.split("=", 1) for line in
                             (ready.read_text() if ready.exists() else "").splitlines())
            broker = ["--bootstrap-server", addresses.get("broker", "127.0.0.1:1")]
            run([sluice, "topics", "create", "beats", "--if-not-exists"] + broker, timeout=120)
            result = run([sluice, "consume", "beats", "--from-beginning", "--max-messages", "3"]
                         + broker, cwd=folder, timeout=120)
            ok(result.stdout.splitlines()[:3] == [f"from afar {n}" for n in (1, 2, 3)],
               "and runs it: its records come out of the broker",
               result.stdout + result.stderr + (folder / "log").read_text())
        finally:
            up.terminate()
            ok(up.wait(120) == 0, "and stops cleanly", (folder / "log").read_text())
print(f"1..{number}")
sys.exit(failed > 0)
