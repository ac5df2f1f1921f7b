"""A broker with the library of tests/disk preloaded, that records or fails what it does to its disk.

    with DiskBroker(program, library) as broker:
        broker.fail("write ENOSPC 1000 *.log")
        broker.mend()
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_broker import RunningBroker  # noqa: E402


class DiskBroker(RunningBroker):
    """Its data lies below folder/disk, which is what the library watches."""

    def __init__(self, program, library, settings=None, journal=False, sync_us=None):
        self.library, self.journal, self.sync_us = library, journal, sync_us
        super().__init__(program, settings)

    def start(self):
        self.root = os.path.realpath(os.path.join(self.folder, "disk"))
        os.makedirs(self.root, exist_ok=True)
        self.settings.setdefault("log.dirs", f"{self.root}/data/logs")
        self.journal_path = os.path.join(self.folder, "journal")
        self.faults_path = os.path.join(self.folder, "faults")
        preload = {"LD_PRELOAD": self.library, "SLUICE_DISK_ROOT": self.root,
                   "SLUICE_DISK_FAULTS": self.faults_path}
        if self.journal:
            preload["SLUICE_DISK_JOURNAL"] = self.journal_path
        if self.sync_us is not None:
            preload["SLUICE_DISK_SYNC_US"] = str(self.sync_us)
        # With AddressSanitizer the library stands before its runtime, which minds unless told.
        options = os.environ.get("ASAN_OPTIONS", "")
        preload["ASAN_OPTIONS"] = f"{options}:verify_asan_link_order=0"
        before = {name: os.environ.get(name) for name in preload}
        os.environ.update(preload)
        try:
            super().start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def fail(self, *rules):
        """From now on these fail, and nothing else."""
        with open(self.faults_path, "r+b") as file:
            file.write("".join(f"{rule}\n" for rule in rules).encode().ljust(1, b"\n"))
            file.truncate()

    def mend(self):
        self.fail()
