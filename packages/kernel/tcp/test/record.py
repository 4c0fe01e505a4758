#!/usr/bin/env python3
"""
Records what Linux makes of round trips and losses, for rtt.test.ts and congestion/recorded.test.ts: a TCP sender of
the kernel's in a namespace of its own, and a receiver made here behind its tap, which decides when each segment is
acknowledged and which is lost. Needs root, iproute2 and /dev/net/tun.

    record.py NAME > recorded/NAME.txt      (rtt, or one of FLOWS)

A busy machine makes a worthless record, as its stalls are not in it: record again.

Lines of a flow are acknowledgements: microseconds since the line before, round trip in microseconds (-1: none), and,
where they change, segments newly delivered, state (0 open, 1 disorder, 2 cwr, 3 recovery, 4 loss), window and
threshold, all as they are after it; or `idle` and for how long, when the first segment after silence leaves. The
phase of the kernel's ticks is not to be seen from here.
"""
import fcntl, os, random, select, socket, struct, subprocess, sys, time

MAC, PEER = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")
HERE, THERE = "10.9.0.1", "10.9.0.2"
PORT = 9000
TCP_CONGESTION, TCP_INFO = 13, 11


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Rig:
    def __init__(self):
        self.name = f"pw-cc-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        os.setns(fd, 0) if hasattr(os, "setns") else self.setns(fd)
        self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tap, 0x400454ca, struct.pack("16sH22x", b"tap0", 0x1002))
        for words in (f"link set tap0 address {MAC.hex(':')} up", f"addr add {HERE}/24 dev tap0",
                      f"neigh add {THERE} lladdr {PEER.hex(':')} dev tap0 nud permanent"):
            subprocess.run(["ip", *words.split()], check=True)
        for key, value in (("tcp_timestamps", "0"), ("tcp_no_metrics_save", "1"), ("tcp_early_retrans", "0"),
                           ("tcp_slow_start_after_idle", "0"), ("tcp_wmem", "4096 4000000 4000000")):
            with open(f"/proc/sys/net/ipv4/{key}", "w") as file:
                file.write(value)

    def setns(self, fd):
        import ctypes
        if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name])

    def send(self, port, seq, ack, flags, options=b"", window=65535):
        tcp = struct.pack("!HHIIBBHHH", PORT, port, seq & 0xffffffff, ack & 0xffffffff, (20 + len(options)) // 4 << 4,
                          flags, window, 0, 0) + options
        src, dst = socket.inet_aton(THERE), socket.inet_aton(HERE)
        check = sum16(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, src, dst)
        ip = ip[:10] + struct.pack("!H", sum16(ip)) + ip[12:]
        os.write(self.tap, MAC + PEER + b"\x08\x00" + ip + tcp)

    def receive(self):
        """(port, seq, ack, flags, payload octets) of the next TCP frame, or None."""
        while True:
            try:
                frame = os.read(self.tap, 70000)
            except BlockingIOError:
                return None
            if frame[12:14] == b"\x08\x00" and frame[23] == 6:
                at = 14 + (frame[14] & 15) * 4
                total = struct.unpack_from("!H", frame, 16)[0]
                port, _, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", frame, at)
                return port, seq, ack, flags, 14 + total - at - (offset >> 4) * 4

    def connect(self, algorithm, delay):
        """A connection whose SYN is answered after `delay` seconds; its first sequence number and the round trip."""
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, algorithm.encode())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        sock.connect_ex((THERE, PORT))
        select.select([self.tap], [], [], 1)
        port, seq, *_ = self.receive()
        time.sleep(delay)
        # MSS 1000, window scale 10, SACK permitted.
        self.send(port, 0, seq + 1, 0x12, bytes.fromhex("020403e8" "0303" "0a" "01" "0402" "0101"))
        select.select([self.tap], [], [], 1)
        self.receive()
        return sock, port, seq + 1


def info(sock):
    raw = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 232)
    word = lambda at: struct.unpack_from("I", raw, at)[0]
    return {"state": raw[1], "rto": word(8), "rtt": word(68), "rttvar": word(72), "ssthresh": word(76),
            "cwnd": word(80), "delivered": word(192), "pacing": struct.unpack_from("Q", raw, 104)[0]}


# --- round trips ---------------------------------------------------------------------------------------------

MIN = 200_000


def estimate(state, m, una, nxt):
    srtt, mdev, top, var, seq = state
    if srtt == 0:
        return m << 3, m << 1, max(m << 1, MIN), max(m << 1, MIN), nxt
    m -= srtt >> 3
    srtt += m
    if m < 0:
        m = -m - (mdev >> 2)
        if m > 0:
            m >>= 3
    else:
        m -= mdev >> 2
    mdev += m
    if mdev > top:
        top = mdev
        var = max(var, top)
    if una > seq:
        if top < var:
            var -= (var - top) >> 2
        seq, top = nxt, MIN
    return max(1, srtt), mdev, top, var, seq


def seen(state):
    return state[0] >> 3, state[1] >> 2, -(-((state[0] >> 3) + state[3]) // 4000) * 4000


def solve(rows):
    """The samples that the kernel must have taken, near what was measured here, to have shown what it showed."""
    paths = {(0, 0, 0, 0, 0): ()}
    for measured, una, nxt, *shown in rows:
        found = {}
        for state, samples in paths.items():
            for m in range(max(0, measured - 3000), measured + 3000):
                after = estimate(state, m, una, nxt)
                if list(seen(after)) == shown and after not in found:
                    found[after] = samples + (m,)
        paths = found
        print(len(paths), "states fit", (measured, *shown), file=sys.stderr)
        if not paths:
            raise SystemExit("no sample explains what the kernel shows")
    return next(iter(paths.values()))


def rtt(rig):
    rng = random.Random(1)
    sock, port, first = rig.connect("reno", 0.03)
    i = info(sock)
    rows = [(i["rtt"], 1, 1, i["rtt"], i["rttvar"], i["rto"])]
    una = nxt = 1
    # Seconds; 9 is as long as the timeout lets us: a segment that is sent again gives no sample.
    plan = [(0.03,)] * 3 + [(9,)] * 3 + [(0.02,), (0.02,), (0.01,)] + [(0.06, 0.02, 9), (0.02, 0.02, 0.02)]
    plan += [(rng.choice((0.005, 0.05, 9)),) for _ in range(16)] + [(0.05, 0.01)] * 3 + [(0.0,)] * 12
    for delays in plan:
        # A segment for each delay, one after the other, then their acknowledgements.
        sent = []
        for _ in delays:
            sock.send(b"x" * 100)
            sent.append(time.monotonic_ns())
            nxt += 100
        for delay, at in zip(delays, sent):
            time.sleep(min(delay, i["rto"] / 1e6 * 0.9 - (time.monotonic_ns() - at) / 1e9) if delay == 9 else delay)
            una += 100
            now = time.monotonic_ns()
            rig.send(port, 1, first + una - 1, 0x10)
            i = info(sock)
            rows.append(((now - at) // 1000, una, nxt, i["rtt"], i["rttvar"], i["rto"]))
        while rig.receive():
            pass
    samples = solve(rows)
    print("# sample una nxt -> rtt rttvar rto, microseconds; Linux", os.uname().release.split("-")[0])
    for row, sample in zip(rows, samples):
        print(sample, *row[1:])


# --- windows -------------------------------------------------------------------------------------------------

# Seconds: round trip, and what each segment adds to it; time of a segment on the link; pause of the sender; end.
FLOWS = {
    "curve": {"round_trip": 0.2, "lost": 50, "end": 7.5},
    "friendly": {"round_trip": 0.02, "service": 0.0001, "lost": 30, "end": 0.8},
    "idle": {"round_trip": 0.2, "lost": 50, "pause": (2.5, 4.5), "end": 6.5, "backlog": 150_000},
    "train": {"round_trip": 0.04, "end": 0.4},
    "late": {"round_trip": 0.2, "growth": 0.00015, "end": 1.3},
    "reno": {"round_trip": 0.02, "service": 0.0001, "lost": 50, "end": 0.8, "algorithm": "reno"},
}
SEGMENT = 1000
SIOCOUTQ = 0x5411


class Link:
    """Delays, one loss, and the receiver at its end."""

    def __init__(self, rig, sock, port, first, name):
        self.rig, self.sock, self.port, self.first = rig, sock, port, first
        flow = FLOWS[name]
        self.round_trip, self.end, self.pause = flow["round_trip"], flow["end"], flow.get("pause")
        self.service, self.growth = flow.get("service", 0.0002), flow.get("growth", 0)
        self.lost, self.backlog = flow.get("lost", -1), flow.get("backlog", 1_500_000)
        self.queue, self.free, self.last = [], 0.0, 0.0
        self.received, self.expected, self.sent = set(), 0, 0
        self.base, self.before = time.monotonic_ns(), 0
        i = info(sock)
        self.delivered = i["delivered"]
        self.shown = None
        print("# Linux", os.uname().release.split("-")[0], "flow", name)
        self.show(0, i["rtt"], 1, i)

    def now(self):
        return (time.monotonic_ns() - self.base) // 1000

    def show(self, us, rtt, fresh, i):
        change = (fresh, i["state"], i["cwnd"], i["ssthresh"])
        print(us, rtt, *(change if change != self.shown else ()))
        self.shown = change

    def fill(self):
        seconds = self.now() / 1e6
        if self.pause and self.pause[0] < seconds < self.pause[1]:
            return
        while struct.unpack("i", fcntl.ioctl(self.sock, SIOCOUTQ, b"    "))[0] < self.backlog:
            self.sock.send(b"x" * 10 * SEGMENT)

    def take(self):
        while (frame := self.rig.receive()) is not None:
            _, seq, _, _, octets = frame
            if octets == 0:
                continue
            assert octets == SEGMENT, octets
            at = time.monotonic()
            if self.sent == self.expected > 0:
                now = self.now()
                print(now - self.before, "idle", int((at - self.last) * 1e6))
                self.before = now
            self.last = at
            index = ((seq - self.first) & 0xffffffff) // SEGMENT
            self.sent = max(self.sent, index + 1)
            if index == self.lost:
                self.lost = -1
                continue
            self.free = max(at, self.free) + self.service
            self.queue.append((self.free + self.round_trip + index * self.growth, at, index))

    def acknowledge(self):
        _, at, index = self.queue.pop(0)
        self.received.add(index)
        while self.expected in self.received:
            self.received.discard(self.expected)
            self.expected += 1
        options = b""
        if self.received:
            left = right = index if index in self.received else min(self.received)
            while left - 1 in self.received:
                left -= 1
            while right in self.received:
                right += 1
            edges = [(self.first + edge * SEGMENT) & 0xffffffff for edge in (left, right)]
            options = b"\x01\x01\x05\x0a" + struct.pack("!II", *edges)
        rtt = int((time.monotonic() - at) * 1e6)
        now = self.now()
        self.rig.send(self.port, 1, self.first + self.expected * SEGMENT, 0x10, options)
        i = info(self.sock)
        fresh = i["delivered"] - self.delivered
        self.show(now - self.before, rtt if fresh else -1, fresh, i)
        self.delivered, self.before = i["delivered"], now

    def run(self):
        end = time.monotonic() + self.end
        while time.monotonic() < end:
            self.fill()
            wait = self.queue[0][0] - time.monotonic() if self.queue else 0.01
            if wait > 0.0005:
                select.select([self.rig.tap], [], [], min(wait, 0.01) - 0.0003)
            self.take()
            while self.queue and self.queue[0][0] <= time.monotonic():
                self.acknowledge()


def flow(rig, name):
    Link(rig, *rig.connect(FLOWS[name].get("algorithm", "cubic"), FLOWS[name]["round_trip"]), name).run()


def main():
    rig = Rig()
    try:
        rtt(rig) if sys.argv[1] == "rtt" else flow(rig, sys.argv[1])
    finally:
        rig.close()


main()
