"""
Programs inside a network namespace, with real sockets. Each line of standard input is a call, JSON
{"id", "op", ...}, and runs in a thread of its own; its answer is a line, JSON {"id", "value"} or {"id", "errno"}.
Sockets are numbers. The end of standard input ends it all, whatever still waits.
"""
import errno
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading

TIMEOUT_SECONDS = 12
CHUNK = 1 << 18
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
LEVELS = {"tcp": socket.IPPROTO_TCP, "socket": socket.SOL_SOCKET}
OPTIONS = {
    "reuseaddr": ("socket", socket.SO_REUSEADDR), "keepalive": ("socket", socket.SO_KEEPALIVE),
    "rcvbuf": ("socket", socket.SO_RCVBUF), "sndbuf": ("socket", socket.SO_SNDBUF),
    "nodelay": ("tcp", socket.TCP_NODELAY), "keepidle": ("tcp", socket.TCP_KEEPIDLE),
    "keepintvl": ("tcp", socket.TCP_KEEPINTVL), "keepcnt": ("tcp", socket.TCP_KEEPCNT),
    "maxseg": ("tcp", socket.TCP_MAXSEG), "quickack": ("tcp", socket.TCP_QUICKACK),
}
sockets = {}
lock = threading.Lock()
calls = {}


def op(function):
    calls[function.__name__] = function
    return function


def pattern(seed, octets):
    """The same as the other side makes: everybody knows what must arrive."""
    return hashlib.shake_256(seed.encode()).digest(octets)


def keep(made):
    made.settimeout(TIMEOUT_SECONDS)
    with lock:
        number = len(sockets) + 1
        sockets[number] = made
    return number


def tcp(family, options):
    made = socket.socket(FAMILIES[family], socket.SOCK_STREAM)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    for name, value in options.items():
        level, option = OPTIONS[name]
        made.setsockopt(LEVELS[level], option, value)
    return made


@op
def listen(family, ip, port, backlog=16, options={}):
    made = tcp(family, options)
    made.bind((ip, port))
    made.listen(backlog)
    return {"sock": keep(made), "port": made.getsockname()[1]}


@op
def accept(sock):
    made, peer = sockets[sock].accept()
    return {"sock": keep(made), "ip": peer[0], "port": peer[1]}


@op
def connect(family, ip, port, options={}, bind=None):
    made = tcp(family, options)
    if bind is not None:
        made.bind(tuple(bind))
    made.settimeout(TIMEOUT_SECONDS)
    try:
        made.connect((ip, port))
    except OSError:
        made.close()
        raise
    return {"sock": keep(made), "port": made.getsockname()[1]}


@op
def option(sock, name, value):
    level, number = OPTIONS[name]
    sockets[sock].setsockopt(LEVELS[level], number, value)


@op
def linger(sock, seconds):
    sockets[sock].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))


@op
def send(sock, seed, octets, shutdown=False):
    sockets[sock].sendall(pattern(seed, octets))
    if shutdown:
        sockets[sock].shutdown(socket.SHUT_WR)
    return octets


@op
def receive(sock, octets=None):
    """So many octets, or all until the end; how it ended, and what it was."""
    digest = hashlib.sha256()
    count, end = 0, "octets"
    while octets is None or count < octets:
        try:
            data = sockets[sock].recv(CHUNK if octets is None else min(CHUNK, octets - count))
        except OSError as error:
            end = errno.errorcode.get(error.errno, str(error))
            break
        if not data:
            end = "eof"
            break
        digest.update(data)
        count += len(data)
    return {"octets": count, "sha256": digest.hexdigest(), "end": end}


@op
def echo(sock):
    """Until the other side has said all; what came back is how many octets that was."""
    count = 0
    while True:
        data = sockets[sock].recv(CHUNK)
        if not data:
            return count
        sockets[sock].sendall(data)
        count += len(data)


@op
def shutdown(sock, how):
    sockets[sock].shutdown({"read": socket.SHUT_RD, "write": socket.SHUT_WR, "both": socket.SHUT_RDWR}[how])


@op
def close(sock):
    sockets[sock].close()


@op
def reset_all():
    for made in list(sockets.values()):
        if made.fileno() < 0 or made.type != socket.SOCK_STREAM:
            continue
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()


@op
def error(sock):
    number = sockets[sock].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.errorcode.get(number, "OK")


@op
def udp_echo(family, ip):
    made = socket.socket(FAMILIES[family], socket.SOCK_DGRAM)
    made.bind((ip, 0))
    number = keep(made)

    def serve():
        try:
            while True:
                data, peer = made.recvfrom(65536)
                made.sendto(data, peer)
        except OSError:
            pass
    threading.Thread(target=serve, daemon=True).start()
    return {"sock": number, "port": made.getsockname()[1]}


@op
def ping(ip, count):
    command = ["ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", "2", ip]
    run = subprocess.run(command, capture_output=True)
    return run.stdout.decode()


@op
def ss(words):
    return subprocess.run(["ss", "-H", *words], capture_output=True, check=True).stdout.decode()


@op
def batch(lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines).encode() + b"\n", check=True)


@op
def sysctl(settings):
    """The values before."""
    before = {}
    for name, value in settings.items():
        path = "/proc/sys/" + name.replace(".", "/")
        with open(path) as file:
            before[name] = file.read().strip().replace("\t", " ")
        with open(path, "w") as file:
            file.write(str(value))
    return before


@op
def counters():
    """All of /proc/net/netstat and /proc/net/snmp, and what snmp6 adds."""
    found = {}
    for path in ("/proc/net/netstat", "/proc/net/snmp"):
        with open(path) as file:
            lines = file.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            group = names.split(":")[0]
            for name, value in zip(names.split()[1:], values.split()[1:]):
                found[group + "." + name] = int(value)
    with open("/proc/net/snmp6") as file:
        for line in file:
            name, value = line.split()
            found["snmp6." + name] = int(value)
    return found


@op
def raw(tap, frames):
    """Frames as they are, out of the device."""
    mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    mouth.bind((tap, 0))
    for frame in frames:
        mouth.send(bytes.fromhex(frame))
    mouth.close()


def serve(call):
    number, function = call.pop("id"), calls[call.pop("op")]
    try:
        answer = {"id": number, "value": function(**call)}
    except OSError as failure:
        answer = {"id": number, "errno": errno.errorcode.get(failure.errno, str(failure))}
    except Exception as failure:  # noqa: the other side must hear of it
        answer = {"id": number, "errno": repr(failure)}
    with lock:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


for line in sys.stdin:
    threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()
os._exit(0)
