"""
Puts frames into a real network namespace and tells what it sends back.

Runs inside the namespace. First line of standard input: JSON {"taps": {name: mac}, "setup": ["ip -batch" lines],
"sysctl": {name: value}}. Then one line per probe: JSON {"frames": [[tap, hex], ...], "ms": quiet time that ends it}.
Each probe is answered by one line: JSON [[tap, hex], ...].
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


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def drain(fds, wait):
    frames = []
    while True:
        ready, _, _ = select.select(list(fds), [], [], wait)
        if not ready:
            return frames
        for fd in ready:
            try:
                frames.append([fds[fd], os.read(fd, 70000).hex()])
            except BlockingIOError:
                pass


def main():
    plan = json.loads(sys.stdin.readline())
    for name, value in plan["before"].items():
        path = "/proc/sys/" + name.replace(".", "/")
        with open(path, "w") as file:
            file.write(str(value))
    fds = {}
    for name, mac in plan["taps"].items():
        fds[tap(name)] = name
    batch = "".join(f"link set {name} address {mac}\n" for name, mac in plan["taps"].items())
    batch += "\n".join(plan["setup"]) + "\n"
    subprocess.run(["ip", "-batch", "-"], input=batch.encode(), check=True)
    by_name = {name: fd for fd, name in fds.items()}
    drain(fds, 0.3)
    print("ready", flush=True)
    for line in sys.stdin:
        probe = json.loads(line)
        drain(fds, 0)
        for name, data in probe["frames"]:
            try:
                os.write(by_name[name], bytes.fromhex(data))
            except OSError:
                pass
        print(json.dumps(drain(fds, probe["ms"] / 1000)), flush=True)


main()
