"""From a journal of what a broker did to its disk to the states the disk may show after power loss.

    journal = Journal(path, root, root_inode)
    point = journal.choose(random)
    journal.build(point, random, folder)        # what may be left when the power goes just before `point`

What was synced stays. Of what was written to a file since its last fsync() or fdatasync() anything may
be left: nothing, all, a beginning, or any sectors, and the file may have got its length without its
bytes. An entry of a folder is there for sure when the folder was synced; until then the changes to it
may be there or not, each for itself or in their order. A rename is there or not, never half.
"""
import bisect
import os
import struct

CREATE, FOLDER, WRITE, CUT, RENAME, UNLINK, RMDIR, LINK, SYNC, SYNCED, SYNC_ALL, START = range(1, 13)
HEAD = struct.Struct("<B3xHHIIQqQ")
SECTORS = (512, 4096)


class Entry:
    __slots__ = ("type", "inode", "offset", "number", "time", "path", "path2", "data")


class Node:
    """A file or a folder: what was done to it, and how much of that is on disk for sure."""

    def __init__(self, is_folder):
        self.is_folder = is_folder
        self.changes = []
        self.synced = 0
        self.names = {}  # Of a folder: as running programs see it.


def read_entries(path):
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at + HEAD.size <= len(content):
        entry = Entry()
        (entry.type, path_len, path2_len, data_len, entry.number, entry.inode, entry.offset,
         entry.time) = HEAD.unpack_from(content, at)
        at += HEAD.size
        entry.path = content[at:at + path_len].decode()
        entry.path2 = content[at + path_len:at + path_len + path2_len].decode()
        at += path_len + path2_len
        entry.data = content[at:at + data_len]
        at += data_len
        yield entry


class Journal:
    def __init__(self, path, root, root_inode):
        self.root, self.root_inode = root, root_inode
        self.entries = list(read_entries(path))
        self.times = [entry.time for entry in self.entries]

    def choose(self, random, after=0):
        """A point to stop before; often one where a sync has just ended or is about to."""
        point = random.randrange(after, len(self.entries) + 1)
        if random.random() < 0.7:
            near = [i for i in range(max(after, point - 200), min(len(self.entries), point + 200))
                    if self.entries[i].type in (SYNCED, RENAME, UNLINK, CREATE, FOLDER, CUT)]
            point = random.choice(near) + random.randrange(2) if near else point
        return point

    def time(self, point):
        """Who was told something before this was told it before the power went."""
        return self.times[point] if point < len(self.times) else float("inf")

    def point_at(self, time):
        return bisect.bisect_left(self.times, time)

    def build(self, point, random, folder):
        """Writes the state; returns what was chosen, in words."""
        replay = Replay(self.root, self.root_inode)
        for entry in self.entries[:point]:
            replay.apply(entry)
        loss = Loss(random)
        loss.write_folder(replay.folder, folder)
        return loss.words()


class Replay:
    def __init__(self, root, root_inode):
        self.root = root
        self.folder = Node(True)
        self.inodes = {root_inode: self.folder}
        self.begun = {}

    def parent(self, path):
        """The folder node of a path below the root, and the last name."""
        parts = os.path.relpath(path, self.root).split("/")
        node = self.folder
        for part in parts[:-1]:
            node = node.names[part]
        return node, parts[-1]

    def put(self, folder, *changes):
        """One change of a folder's entries: pairs of a name and a node, or None."""
        for name, node in changes:
            if node is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = node
        folder.changes.append(changes)

    def apply(self, entry):
        kind = entry.type
        if kind == WRITE:
            self.inodes[entry.inode].changes.append((entry.offset, entry.data))
        elif kind == CUT:
            self.inodes[entry.inode].changes.append((entry.offset, None))
        elif kind in (CREATE, FOLDER):
            folder, name = self.parent(entry.path)
            node = self.inodes[entry.inode] = Node(kind == FOLDER)
            self.put(folder, (name, node))
        elif kind in (UNLINK, RMDIR):
            folder, name = self.parent(entry.path)
            self.put(folder, (name, None))
        elif kind == RENAME:
            self.rename(entry)
        elif kind == LINK:
            from_folder, from_name = self.parent(entry.path)
            folder, name = self.parent(entry.path2)
            self.put(folder, (name, from_folder.names[from_name]))
        elif kind == SYNC:
            node = self.inodes[entry.inode]
            self.begun[entry.number] = [(node, len(node.changes))]
        elif kind == SYNC_ALL:
            self.begun[entry.number] = [(node, len(node.changes)) for node in self.inodes.values()]
        elif kind == SYNCED:
            for node, count in self.begun.pop(entry.offset, ()):
                node.synced = max(node.synced, count)
        elif kind == START:
            self.begun.clear()

    def rename(self, entry):
        from_folder, from_name = self.parent(entry.path)
        folder, name = self.parent(entry.path2)
        node = from_folder.names[from_name]
        if folder is from_folder:
            self.put(folder, (from_name, None), (name, node))
        else:
            self.put(folder, (name, node))
            self.put(from_folder, (from_name, None))


class Loss:
    """Chooses what is lost: one manner for the whole state, dice for each file."""

    def __init__(self, random):
        self.random = random
        self.data = random.choice(("none", "all", "beginning", "sectors", "mixed"))
        self.entries = random.choice(("none", "all", "ordered", "any", "any"))
        self.sector = random.choice(SECTORS)

    def words(self):
        return f"unsynced data: {self.data}, unsynced entries: {self.entries}, sectors of {self.sector}"

    def kept_entries(self, node):
        unsynced = node.changes[node.synced:]
        if self.entries == "none":
            return []
        if self.entries == "all":
            return unsynced
        if self.entries == "ordered":
            return unsynced[:self.random.randrange(len(unsynced) + 1)]
        return [change for change in unsynced if self.random.random() < 0.5]

    def write_folder(self, node, path):
        os.makedirs(path, exist_ok=True)
        names = {}
        for changes in node.changes[:node.synced] + self.kept_entries(node):
            for name, child in changes:
                if child is None:
                    names.pop(name, None)
                else:
                    names[name] = child
        for name, child in names.items():
            if child.is_folder:
                self.write_folder(child, f"{path}/{name}")
            else:
                with open(f"{path}/{name}", "wb") as file:
                    file.write(self.content(child))

    def content(self, node):
        content = bytearray()
        for change in node.changes[:node.synced]:
            apply_change(content, *change)
        unsynced = node.changes[node.synced:]
        manner = self.data
        if manner == "mixed":
            manner = self.random.choice(("none", "all", "beginning", "sectors"))
        if manner == "all":
            for change in unsynced:
                apply_change(content, *change)
        elif manner == "beginning" and unsynced:
            whole = self.random.randrange(len(unsynced))
            for change in unsynced[:whole]:
                apply_change(content, *change)
            self.tear(content, *unsynced[whole])
        elif manner == "sectors":
            for change in unsynced:
                self.scatter(content, *change)
        return bytes(content)

    def tear(self, content, offset, data):
        """Of one write the beginning, up to a sector's end; perhaps with the whole length."""
        if data is None:
            return
        end = offset + self.random.randrange(len(data) + 1)
        end = max(offset, end - end % self.sector)
        apply_change(content, offset, data[:end - offset])
        if self.random.random() < 0.5 and len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))

    def scatter(self, content, offset, data):
        """Any of the sectors of a write."""
        if data is None:
            if self.random.random() < 0.5:
                apply_change(content, offset, None)
            return
        at = offset
        while at < offset + len(data):
            end = min(offset + len(data), at - at % self.sector + self.sector)
            if self.random.random() < 0.6:
                apply_change(content, at, data[at - offset:end - offset])
            at = end


def apply_change(content, offset, data):
    """A write, or with None a cut to `offset` bytes."""
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    elif data:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data
