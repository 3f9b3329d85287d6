"""A hostile tool. Each attack gives what it got, or fails.

As a tool it speaks the kernel's protocol; with a name on the command line it does the same attack without any walls,
so that the tests can see that it would succeed there.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
MIB = 1 << 20


class Denied(Exception):
    """The attack was held off."""


def syscall(number, *args):
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reaches_the_kernel(number, *args):
    """For calls that must not succeed in earnest: any answer but a refusal shows that they were looked at."""
    try:
        return syscall(number, *args) or 1
    except OSError as e:
        if e.errno in (errno.EPERM, errno.ENOSYS):
            raise
        return "errno %d" % e.errno


def scratch(name):
    return os.path.join(tempfile.gettempdir(), "aion-attack-%d-%s" % (os.getpid(), name))


def read_shadow(argument):
    return len(open("/etc/shadow").read())


def symlink_out(argument):
    link = scratch("link")
    os.symlink("/etc/shadow", link)
    try:
        return len(open(link).read())
    finally:
        os.unlink(link)


def hardlink_out(argument):
    for link in (__file__ + ".link", scratch("hardlink")):
        try:
            os.link(__file__, link)
        except OSError:
            continue
        try:
            with open(link, "a"):
                return link
        finally:
            os.unlink(link)
    raise Denied("no link")


def environments(argument):
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if b"AION_TEST_SECRET" in open("/proc/%s/environ" % pid, "rb").read():
                    found.append(pid)
            except OSError:
                pass
    return found


def own_environment(argument):
    return sorted(set(os.environ) - {"PATH", "LANG", "HOME", "PWD", "LC_CTYPE"})


def roots_of_processes(argument):
    for pid in (1, int(argument)):
        try:
            return [n for n in os.listdir("/proc/%d/root/etc" % pid) if n == "shadow"]
        except OSError:
            continue
    raise Denied("no root")


def proc_mem(argument):
    return os.open("/proc/%d/mem" % int(argument or 1), os.O_RDONLY)


def host_folders(argument):
    return [f for f in ("/root", "/home", "/var", "/etc/passwd", "/srv", "/sys", "/run", "/opt") if os.path.exists(f)]


def open_files(argument):
    left = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + fd)
        except OSError:
            continue
        if int(fd) > 2 and not target.startswith("/proc/"):
            left.append(target)
    return left


def write_to(path):
    def attack(argument):
        name = os.path.join(path, ".aion-attack")
        with open(name, "w"):
            pass
        os.unlink(name)
        return name

    return attack


def write_own_file(argument):
    os.chmod(__file__, 0o755)
    with open(__file__, "a"):
        return __file__


def open_for_writing(path):
    return lambda argument: "opened as %d" % os.open(path, os.O_WRONLY)


def socket_of(family, kind=socket.SOCK_STREAM):
    def attack(argument):
        with socket.socket(family, kind) as s:
            return repr(s)

    return attack


def connect_to_the_kernel(argument):
    with socket.create_connection(("127.0.0.1", int(argument)), 2) as s:
        return repr(s)


def ptrace(argument):
    child = os.fork()
    if child == 0:
        try:
            syscall(101, 0, 0, 0, 0)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def read_memory(argument):
    secret = ctypes.create_string_buffer(b"secret", 16)
    into = ctypes.create_string_buffer(16)
    local = struct.pack("QQ", ctypes.addressof(into), 6)
    remote = struct.pack("QQ", ctypes.addressof(secret), 6)
    return syscall(310, os.getpid(), ctypes.create_string_buffer(local), 1, ctypes.create_string_buffer(remote), 1, 0)


def steal_file(argument):
    pidfd = syscall(434, os.getpid(), 0)
    return syscall(438, pidfd, 0, 0)


def keyring(argument):
    return syscall(250, 0, -3, 1)


def io_uring(argument):
    return syscall(425, 8, ctypes.create_string_buffer(120))


def bpf(argument):
    attributes = struct.pack("IIIII", 2, 4, 4, 1, 0)
    return syscall(321, 0, ctypes.create_string_buffer(attributes, 128), 128)


def perf(argument):
    attributes = struct.pack("IIQQQQ", 1, 112, 0, 0, 0, 0)
    return syscall(298, ctypes.create_string_buffer(attributes, 112), 0, -1, -1, 0)


def userfault(argument):
    return syscall(323, 0)


def mount(argument):
    target = scratch("mount")
    os.mkdir(target)
    try:
        syscall(165, b"none", target.encode(), b"tmpfs", 0, None)
        syscall(166, target.encode(), 0)
        return target
    finally:
        os.rmdir(target)


def remount_root(argument):
    return reaches_the_kernel(165, b"none", b"/nowhere", b"none", 32, None)


def chroot(argument):
    os.chroot("/usr")
    return "chroot"


def mknod(argument):
    device = scratch("null")
    os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.unlink(device)
    return device


def unshare(flags):
    return lambda argument: syscall(272, flags) or "unshared"


def setns(argument):
    return syscall(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0) or "entered"


def clone_newuser(argument):
    pid = syscall(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def kill_host(argument):
    os.kill(int(argument), 0)
    return argument


def become_another(argument):
    syscall(117, 1000, 1000, 1000)
    return os.getuid()


def set_groups(argument):
    syscall(116, 0, None)
    return "groups"


def push_input(argument):
    return reaches_the_kernel(16, 0, 0x5412, ctypes.create_string_buffer(b"x"))


def push_input_high_bits(argument):
    return reaches_the_kernel(16, 0, (1 << 32) | 0x5412, ctypes.create_string_buffer(b"x"))


def load_module(argument):
    return reaches_the_kernel(175, None, 0, b"")


def reboot(argument):
    return reaches_the_kernel(169, 0, 0, 0, None)


def open_by_handle(argument):
    return reaches_the_kernel(304, -1, None, 0)


def set_the_clock(argument):
    return reaches_the_kernel(227, 99, None)


def change_kernel_log(argument):
    return reaches_the_kernel(103, 10, None, 0)


def int80(argument):
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # getpid of the i386 interface
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()


def x32(argument):
    return syscall(0x40000000 | 39)


def memfd_exec(argument):
    fd = os.memfd_create("cat")
    os.write(fd, open("/usr/bin/cat", "rb").read())
    done = subprocess.run(["/proc/self/fd/%d" % fd, "/etc/shadow"], pass_fds=[fd], capture_output=True, check=False)
    return len(done.stdout)


def fork_many(argument):
    children = []
    try:
        while len(children) < 40:
            pid = os.fork()
            if pid == 0:
                time.sleep(30)
                os._exit(0)
            children.append(pid)
        return len(children)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def fork_bomb(argument):
    while True:
        try:
            os.fork()
        except OSError:
            pass


def memory(argument):
    kept = []
    for _ in range(200):
        kept.append(b"x" * MIB)
    return len(kept)


def fill(folder, mebibytes):
    def attack(argument):
        name = os.path.join(folder, "aion-attack-%d" % os.getpid())
        try:
            with open(name, "wb") as f:
                for _ in range(mebibytes):
                    f.write(b"\0" * MIB)
            return mebibytes
        finally:
            os.unlink(name)

    return attack


def inodes(argument):
    count = int(argument or 400_000)
    folder = scratch("inodes")
    os.mkdir(folder)
    made = 0
    try:
        while made < count:
            os.close(os.open("%s/%d" % (folder, made), os.O_CREAT | os.O_WRONLY))
            made += 1
        return made
    finally:
        for i in range(made):
            os.unlink("%s/%d" % (folder, i))
        os.rmdir(folder)


def burn(argument):
    began = time.monotonic()
    children = []
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            while time.monotonic() - began < 1.5:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    used = os.times()
    share = (used.children_user + used.children_system) / (time.monotonic() - began)
    if share < 0.25:
        raise Denied("%.2f of a processor" % share)
    return share


def output(argument):
    chunk = b"x" * 65536
    for _ in range(int(argument or 1_000_000)):
        os.write(1, chunk)
    return "all written"


def lines(argument):
    while True:
        os.write(1, b"{}\n")


def errors(argument):
    chunk = b"x" * 65536
    for _ in range(int(argument or 1_000_000)):
        os.write(2, chunk)
    return "all written"


def daemon(argument):
    """Ignores what can be ignored, and hides in a process of its own."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(int(argument or 600))
        os._exit(0)
    os.wait()
    return "left a daemon"


def stubborn(argument):
    daemon(argument)
    while True:
        time.sleep(1)


def crash(argument):
    os._exit(3)


def crash_hard(argument):
    os.kill(os.getpid(), signal.SIGSEGV)


def hello(argument):
    return "hello"


def remember(argument):
    """Gives what an earlier call has left, and leaves something."""
    left = (getattr(libc, "left", None), os.path.exists("/tmp/left"))
    libc.left = argument
    open("/tmp/left", "w").close()
    return left


def open_device(argument):
    with open(argument, "r+b", buffering=0) as device:
        return len(device.read(4))


ATTACKS = {
    "open a device": open_device,
    "read /etc/shadow": read_shadow,
    "a symlink out": symlink_out,
    "a hard link to its own file": hardlink_out,
    "environments in /proc": environments,
    "its own environment": own_environment,
    "roots of processes": roots_of_processes,
    "memory of a process of the host": proc_mem,
    "folders of the host": host_folders,
    "files it was started with": open_files,
    "write to /": write_to("/"),
    "write to /usr": write_to("/usr"),
    "write to /dev": write_to("/dev"),
    "write to its own file": write_own_file,
    "sysrq": open_for_writing("/proc/sysrq-trigger"),
    "core_pattern": open_for_writing("/proc/sys/kernel/core_pattern"),
    "the kernel's log": lambda argument: os.open("/dev/kmsg", os.O_RDONLY),
    "an inet socket": socket_of(socket.AF_INET),
    "an inet6 socket": socket_of(socket.AF_INET6),
    "a unix socket": socket_of(socket.AF_UNIX),
    "a netlink socket": socket_of(socket.AF_NETLINK, socket.SOCK_RAW),
    "a packet socket": socket_of(socket.AF_PACKET, socket.SOCK_RAW),
    "a vsock socket": socket_of(40),
    "connect to the kernel": connect_to_the_kernel,
    "ptrace": ptrace,
    "process_vm_readv": read_memory,
    "pidfd_getfd": steal_file,
    "keyctl": keyring,
    "io_uring": io_uring,
    "bpf": bpf,
    "perf_event_open": perf,
    "userfaultfd": userfault,
    "mount": mount,
    "remount": remount_root,
    "chroot": chroot,
    "mknod": mknod,
    "unshare mounts": unshare(0x20000),
    "unshare users": unshare(0x10000000),
    "setns": setns,
    "clone into new users": clone_newuser,
    "kill a process of the host": kill_host,
    "setresuid": become_another,
    "setgroups": set_groups,
    "TIOCSTI": push_input,
    "TIOCSTI with high bits": push_input_high_bits,
    "load a module": load_module,
    "reboot": reboot,
    "open_by_handle_at": open_by_handle,
    "set the clock": set_the_clock,
    "syslog": change_kernel_log,
    "int 0x80": int80,
    "x32": x32,
    "exec of a memfd": memfd_exec,
    "40 processes": fork_many,
    "a fork bomb": fork_bomb,
    "200 MiB of memory": memory,
    "64 MiB in /tmp": fill("/tmp", 64),
    "1 MiB in /dev/shm": fill("/dev/shm", 1),
    "many inodes": inodes,
    "all processors": burn,
    "endless output": output,
    "endless lines": lines,
    "endless errors": errors,
    "a daemon": daemon,
    "a daemon and no answer": stubborn,
    "a crash": crash,
    "a crash by signal": crash_hard,
    "hello": hello,
    "remember": remember,
}


def attempt(name, argument):
    try:
        got = ATTACKS[name](argument)
        return {"breached": bool(got), "detail": repr(got)[:300]}
    except (OSError, Denied) as e:
        return {"breached": False, "detail": repr(e)[:300]}


def serve():
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        arguments = json.loads(line)["arguments"]
        if arguments["attack"] == "never read again":
            time.sleep(600)
        answer = attempt(arguments["attack"], arguments.get("argument"))
        print(json.dumps({"result": answer}), flush=True)


if len(sys.argv) > 1:
    print(json.dumps(attempt(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)), flush=True)
else:
    serve()
