"""Every plugin exports exactly one symbol: its manifest."""
import pathlib
import subprocess
import sys

failed = 0
for number, path in enumerate(sys.argv[1:], 1):
    result = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True,
                            text=True, check=True)
    symbols = [line.split()[-1] for line in result.stdout.splitlines()]
    good = symbols == ["sluice_plugin_manifest"]
    failed += not good
    if not good:
        print(f"# {path} exports {', '.join(symbols) or 'nothing'}")
    print("ok" if good else "not ok", number, "-", pathlib.Path(path).name,
          "exports its manifest and nothing else")
print(f"1..{len(sys.argv) - 1}")
sys.exit(failed > 0)
