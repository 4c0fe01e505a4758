"""
The end of a wire inside a network namespace: a TAP device there, its frames on standard input and output.

Runs inside the namespace. Its argument is JSON {"namespace", "tap", "mac", "sysctl": {name: value}, "setup":
["ip -batch" lines]}. Each frame, both ways, has its length in two octets before it; the first that is written
has length 0 and says that all is ready. At the end of standard input the namespace's name goes, so nothing is
left behind whatever became of the parent.
"""
import fcntl
import json
import os
import select
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME_MAX = 65535
BATCH = 256


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def from_kernel(fd):
    """What waits in the device, as one write."""
    out = []
    try:
        for _ in range(BATCH):
            frame = os.read(fd, FRAME_MAX)
            out.append(len(frame).to_bytes(2, "big"))
            out.append(frame)
    except BlockingIOError:
        pass
    write_all(b"".join(out))


def write_all(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


def to_kernel(fd, data):
    """Whole frames go, what is left of the last comes back."""
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at:at + 2], "big")
        if end > len(data):
            break
        try:
            os.write(fd, data[at + 2:end])
        except OSError:
            pass  # A frame shorter than an Ethernet header, or the device is down: lost, as on a wire.
        at = end
    return data[at:]


def pump(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(0, select.POLLIN)
    rest = b""
    while True:
        ready = {which for which, _ in poll.poll()}
        if 0 in ready:
            data = os.read(0, 1 << 18)
            if not data:
                return
            rest = to_kernel(fd, rest + data)
        if fd in ready:
            from_kernel(fd)


def main():
    plan = json.loads(sys.argv[1])
    try:
        for name, value in plan["sysctl"].items():
            with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
                file.write(str(value))
        fd = tap(plan["tap"])
        lines = [f"link set {plan['tap']} address {plan['mac']}"] + plan["setup"]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines).encode() + b"\n", check=True)
        write_all(b"\0\0")
        pump(fd)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        subprocess.run(["ip", "netns", "del", plan["namespace"]], check=False)


main()
