"""
Plays packets through a router that is a real kernel and tells how it classed each of them.

Runs in a network namespace of its own with two TAPs, tap0 and tap1. One line of standard input: JSON
{"before": {sysctl: value}, "setup": ["ip -batch" lines], "rules4", "rules6": text for iptables-restore,
"after": {sysctl: value}, "events": [["frame", tap number, hex] | ["sleep", seconds] | ["list"] |
["sysctl", name, value]]}. One line of output: JSON {"frames": [hex of what left the router], "lists":
[conntrack -L, /proc/net/nf_conntrack and conntrack -S, zeros between them], "heard": what conntrack -E wrote,
"elapsed": seconds}.
"""
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def set_sysctl(name, value):
    with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
        file.write(str(value))


def drain(fds, into):
    for fd in fds:
        while True:
            try:
                into.append(os.read(fd, 70000).hex())
            except BlockingIOError:
                break


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def listening():
    """Somebody is in a group of NETLINK_NETFILTER (12)."""
    with open("/proc/net/netlink") as file:
        return any(line.split()[1] == "12" and int(line.split()[3], 16) != 0 for line in file.readlines()[1:])


def main():
    plan = json.loads(sys.stdin.readline())
    for name, value in plan["before"].items():
        set_sysctl(name, value)
    fds = [tap("tap0"), tap("tap1")]
    run("ip", "-batch", "-", text="\n".join(plan["setup"]) + "\n")
    run("iptables-legacy-restore", text=plan["rules4"])
    run("ip6tables-legacy-restore", text=plan["rules6"])
    for name, value in plan["after"].items():
        set_sysctl(name, value)
    time.sleep(0.1)
    drain(fds, [])
    heard = tempfile.TemporaryFile("w+")
    listener = subprocess.Popen(
        ["conntrack", "-E", "--buffer-size", "8388608"], stdout=heard, stderr=subprocess.DEVNULL)
    while not listening():
        time.sleep(0.005)
    frames, lists = [], []
    began = time.monotonic()
    for count, event in enumerate(plan["events"]):
        if count % 64 == 63:
            # The listener must keep up.
            time.sleep(0.002)
        if event[0] == "frame":
            os.write(fds[event[1]], bytes.fromhex(event[2]))
            drain(fds, frames)
        elif event[0] == "sleep":
            time.sleep(event[1])
        elif event[0] == "sysctl":
            set_sysctl(event[1], event[2])
        else:
            drain(fds, frames)
            lists.append("\0".join([run("conntrack", "-L"), open("/proc/net/nf_conntrack").read(), run("conntrack", "-S")]))
    drain(fds, frames)
    elapsed = time.monotonic() - began
    size = -1
    while size != os.fstat(heard.fileno()).st_size:
        size = os.fstat(heard.fileno()).st_size
        time.sleep(0.05)
    listener.send_signal(signal.SIGINT)
    listener.wait()
    heard.seek(0)
    print(json.dumps({"frames": frames, "lists": lists, "heard": heard.read(), "elapsed": elapsed}), flush=True)


main()
