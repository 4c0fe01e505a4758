"""
Plays time lines against the kernel that runs. Each line of standard input is one job (JSON); each is played
by a child in a network namespace of its own, which ends with it, and answered by one line: what happened.

A job: {"id", "family", "mtu", "sysctls": [[name, value]], "stack": {mac, "4", "6"}, "peer": {…},
"peerPort", "port", "events": [...], "end": seconds, "seen": frames expected until then}. An event:
{"t": seconds, "seen": frames expected before it, and "frame": an Outgoing of frame.ts, or "call": [name,
socket, arguments…], or neither}. When frames are late the rest of the time line waits for them a little, so
that a busy machine changes times only.
An answer: {"id", "happened": [[seconds, "frame", hex] | [seconds, "caused", result]], "error"}.
"""
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
WAIT_SECONDS = 0.5
STATES = [
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING",
]
TCP_OPTIONS = {
    "TCP_NODELAY": 1, "TCP_MAXSEG": 2, "TCP_CORK": 3, "TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 6,
    "TCP_SYNCNT": 7, "TCP_LINGER2": 8, "TCP_USER_TIMEOUT": 18,
}
TCP_INFO, TCP_CONGESTION = 11, 13
FIONREAD = 0x541B


def pattern(start, length):
    return bytes((i ^ (i >> 8)) & 255 for i in range(start, start + length))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def word(frame, at):
    return struct.unpack_from("!I", frame, at)[0]


def signed(value):
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def tcp_at(frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800 and frame[23] == 6:
        return 14 + (frame[14] & 15) * 4
    return 54 if kind == 0x86DD and frame[20] == 6 else -1


def is_noise(frame):
    """ARP, groups, routers and duplicate address detection: not what a time line is about."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        return frame[23] == 2
    return kind != 0x86DD or frame[20] == 0 or (frame[20] == 58 and 133 <= frame[54] <= 137)


class Flow:
    def __init__(self, port):
        self.isn, self.port, self.stamp, self.frames = 0, port, 0, []


class Player:
    def __init__(self, job):
        self.job = job
        self.family = socket.AF_INET if job["family"] == 4 else socket.AF_INET6
        self.flows, self.sockets, self.offsets, self.happened = {}, {}, {}, []
        self.start, self.frames = 0, 0
        self.tap = self.make_tap()

    def make_tap(self):
        job = self.job
        for path, value in (("/proc/sys/net/ipv6/conf/default/accept_dad", "0"),
                            ("/proc/sys/net/ipv6/conf/default/router_solicitations", "0")):
            write(path, value)
        for name, value in job["sysctls"]:
            write("/proc/sys/" + name.replace(".", "/"), value)
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI))
        stack, peer = job["stack"], job["peer"]
        batch = [
            "link set lo up", "link set tap0 addrgenmode none",
            "link set tap0 address %s mtu %d" % (stack["mac"], job["mtu"]), "link set tap0 up",
            "addr add %s/24 dev tap0" % stack["4"], "addr add %s/64 dev tap0 nodad" % stack["6"],
            "neigh add %s lladdr %s dev tap0 nud permanent" % (peer["4"], peer["mac"]),
            "neigh add %s lladdr %s dev tap0 nud permanent" % (peer["6"], peer["mac"]),
        ]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(batch).encode(), check=True)
        return fd

    def flow(self, number):
        if number not in self.flows:
            self.flows[number] = Flow(self.job["port"])
        return self.flows[number]

    def now(self):
        return time.monotonic() - self.start

    def learn(self, frame):
        at = tcp_at(frame)
        if at < 0:
            return
        source, target, seq, _, offset, flags = struct.unpack_from("!HHIIBB", frame, at)
        flow = self.flow(target - self.job["peerPort"])
        flow.port = source
        if flags & 2:
            flow.isn = seq
        i, end = at + 20, at + (offset >> 4) * 4
        while i < end and frame[i] != 0:
            if frame[i] == 8:
                flow.stamp = struct.unpack_from("!I", frame, i + 2)[0]
                break
            i += 1 if frame[i] == 1 else max(frame[i + 1], 2)
        flow.frames.append(frame)

    def read(self):
        while True:
            try:
                frame = os.read(self.tap, 70000)
            except BlockingIOError:
                return
            if is_noise(frame):
                continue
            self.happened.append([self.now(), "frame", frame.hex()])
            self.frames += 1
            self.learn(frame)

    def until(self, seconds):
        while True:
            self.read()
            left = seconds - self.now()
            if left <= 0:
                return
            select.select([self.tap], [], [], left)

    def wait(self, seconds, frames):
        """How late it became."""
        self.until(seconds)
        while self.frames < frames and self.now() < seconds + WAIT_SECONDS:
            select.select([self.tap], [], [], 0.02)
            self.read()
        return max(0, self.now() - seconds)

    def play(self):
        self.until(self.now() + 0.01)
        self.happened, self.frames, self.start = [], 0, time.monotonic() + 0.005
        late = 0
        for event in self.job["events"]:
            lateness = self.wait(event["t"] + late, event["seen"])
            if lateness > 0.002:
                late += lateness
            entry = [self.now(), "caused", "0"]
            self.happened.append(entry)
            if "frame" in event:
                os.write(self.tap, self.complete(event["frame"]))
            elif "call" in event:
                entry[2] = str(self.call(*event["call"]))
            self.read()
        self.wait(self.job["end"] + late, self.job["seen"])

    def complete(self, outgoing):
        frame = bytearray.fromhex(outgoing["hex"])
        flow, l4, protocol = self.flow(outgoing["flow"]), outgoing["l4"], outgoing["protocol"]
        quote = outgoing["quote"]
        if quote is not None:
            relative = lambda sent: signed(word(sent, tcp_at(sent) + 4) - flow.isn)
            about = [sent for sent in flow.frames if quote["seq"] in (None, relative(sent))]
            frame += about[-1][14:14 + quote["bytes"]]
            struct.pack_into("!H", frame, 16 if l4 == 34 else 18, len(frame) - (14 if l4 == 34 else l4))
        for at in outgoing["isn"]:
            struct.pack_into("!I", frame, at, (word(frame, at) + flow.isn) & 0xFFFFFFFF)
        for at, more in outgoing["stamps"]:
            struct.pack_into("!I", frame, at, (flow.stamp + more) & 0xFFFFFFFF)
        if outgoing["port"] >= 0:
            struct.pack_into("!H", frame, outgoing["port"], flow.port)
        pseudo = b""
        if l4 == 34:
            struct.pack_into("!H", frame, 24, checksum(bytes(frame[14:34])))
        if protocol != 1:
            addresses = frame[26:34] if l4 == 34 else frame[22:54]
            pseudo = bytes(addresses) + struct.pack("!II", len(frame) - l4, protocol)
        at = l4 + (16 if protocol == 6 else 2)
        value = checksum(pseudo + bytes(frame[l4:]))
        struct.pack_into("!H", frame, at, value ^ (0x5555 if outgoing["badSum"] else 0))
        return bytes(frame)

    def call(self, name, key, *args):
        if name != "socket" and key not in self.sockets:
            return "no socket " + key
        try:
            return getattr(self, "do_" + name)(key, *args)
        except OSError as error:
            return errno.errorcode[error.errno]

    def do_socket(self, key):
        made = socket.socket(self.family, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, b"cubic")
        made.setblocking(False)
        self.sockets[key], self.offsets[key] = made, [0, 0]
        return 0

    def do_bind(self, key, port):
        self.sockets[key].bind(("" if self.family == socket.AF_INET else "::", int(port)))
        return 0

    def do_listen(self, key, backlog):
        self.sockets[key].listen(int(backlog))
        return 0

    def do_accept(self, key, name=""):
        made, _ = self.sockets[key].accept()
        made.setblocking(False)
        self.sockets[name], self.offsets[name] = made, [0, 0]
        return 0

    def do_connect(self, key, flow="1"):
        job = self.job
        self.sockets[key].connect((job["peer"][str(job["family"])], job["peerPort"] + int(flow)))
        return 0

    def do_send(self, key, length):
        sent = self.sockets[key].send(pattern(self.offsets[key][0], int(length)), socket.MSG_NOSIGNAL)
        self.offsets[key][0] += sent
        return sent

    def do_recv(self, key, length):
        data = self.sockets[key].recv(int(length))
        good = data == pattern(self.offsets[key][1], len(data))
        self.offsets[key][1] += len(data)
        return len(data) if good else "%d other octets" % len(data)

    def do_shutdown(self, key, how):
        self.sockets[key].shutdown({"read": 0, "write": 1, "both": 2}[how])
        return 0

    def do_close(self, key):
        self.sockets.pop(key).close()
        return 0

    def do_setsockopt(self, key, name, value):
        value = int(value)
        one = self.sockets[key]
        if name == "SO_LINGER":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", value >= 0, max(value, 0)))
        elif name in TCP_OPTIONS:
            one.setsockopt(socket.IPPROTO_TCP, TCP_OPTIONS[name], value)
        elif name == "IPV6_V6ONLY":
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, value)
        else:
            one.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        return 0

    def do_so_error(self, key):
        value = self.sockets[key].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return errno.errorcode[value] if value else 0

    def do_state(self, key):
        return STATES[self.sockets[key].getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0]]

    def do_poll(self, key):
        poller = select.poll()
        poller.register(self.sockets[key], select.POLLIN | select.POLLOUT)
        got = poller.poll(0)
        bits = got[0][1] if got else 0
        names = [name for bit, name in ((select.POLLIN, "in"), (select.POLLOUT, "out")) if bits & bit]
        return " ".join(names) or "none"

    def do_available(self, key):
        return struct.unpack("i", fcntl.ioctl(self.sockets[key], FIONREAD, b"\0" * 4))[0]


def write(path, value):
    with open(path, "w") as file:
        file.write(value)


def child(job, out):
    answer = {"id": job["id"], "happened": [], "error": None}
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            pass  # Only times are at stake.
        player = Player(job)
        try:
            player.play()
        finally:
            answer["happened"] = player.happened
    except Exception:
        answer["error"] = traceback.format_exc()
    with os.fdopen(out, "w") as file:
        file.write(json.dumps(answer))


def main():
    poller = select.poll()
    poller.register(0, select.POLLIN | select.POLLHUP)
    waiting, buffered, open_input = {}, b"", True
    while open_input or waiting:
        for fd, _ in poller.poll():
            if fd != 0:
                data = os.read(fd, 1 << 20)
                if data:
                    waiting[fd][1].append(data)
                    continue
                pid, parts = waiting.pop(fd)
                poller.unregister(fd)
                os.close(fd)
                os.waitpid(pid, 0)
                sys.stdout.write(b"".join(parts).decode() + "\n")
                sys.stdout.flush()
                continue
            data = os.read(0, 1 << 20)
            if not data:
                open_input = False
                poller.unregister(0)
            *lines, buffered = (buffered + data).split(b"\n")
            for line in lines:
                reader, writer = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(reader)
                    child(json.loads(line), writer)
                    os._exit(0)
                os.close(writer)
                waiting[reader] = (pid, [])
                poller.register(reader, select.POLLIN | select.POLLHUP)


main()
