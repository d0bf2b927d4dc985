# ruff: noqa: E501 - programs read best on one line
"""Programs that attack the machine. Each tries its attack and *returns* what it got: the check asserts that it got nothing.

name -> (how its verdict is named, program). "passed" means: the attack was refused and the program said so.
"""

CHECK = """
def check(candidate):
    assert candidate() == "refused"
"""

_TRY = """
def attack():
    {body}

def f():
    try:
        got = attack()
    except (OSError, PermissionError, RuntimeError, ImportError, EOFError) as error:
        return "refused"
    return "refused" if got is None else f"got {{got!r}}"
"""


def _try(*lines: str) -> str:
    return _TRY.format(body="\n    ".join(lines))


_SYSCALL = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True)"

HOSTILE: dict[str, tuple[str, str]] = {
    # files
    "read_passwd": ("passed", _try("return open('/etc/passwd').read()")),
    "read_shadow": ("passed", _try("return open('/etc/shadow').read()")),
    "list_root": ("passed", _try("import os; return os.listdir('/') and os.listdir('/root')")),
    "list_home": ("passed", _try("import os; return os.listdir('/home')")),
    "read_machine_id": ("passed", _try("return open('/etc/machine-id').read()")),
    "read_proc_environ": ("passed", _try("return open('/proc/self/environ').read()")),
    "read_parents_environ": ("passed", _try("import os; return open(f'/proc/{os.getppid()}/environ').read()")),
    "read_parents_memory": ("passed", _try("import os; return open(f'/proc/{os.getppid()}/mem', 'rb').read(1)")),
    "write_parents_memory": ("passed", _try("import os; return open(f'/proc/{os.getppid()}/mem', 'r+b')")),
    "climb_by_descriptor": (
        "passed",
        _try(
            "import os",
            "for fd in range(3, 64):",
            "    try: return os.open('../../../../../../etc/passwd', os.O_RDONLY, dir_fd=fd)",
            "    except OSError: pass",
        ),
    ),
    "climb_by_magic_link": ("passed", _try("return open('/proc/self/root/etc/passwd').read()")),
    "write_tmp": ("passed", _try("return open('/tmp/evo-was-here', 'w')")),
    "write_var": ("passed", _try("return open('/var/tmp/evo-was-here', 'w')")),
    "write_shm": ("passed", _try("return open('/dev/shm/evo-was-here', 'w')")),
    "write_library": ("passed", _try("import os; return open(os.__file__, 'a')")),
    "write_root": ("passed", _try("return open('/evo-was-here', 'w')")),
    "chmod_library": ("passed", _try("import os; os.chmod(os.path.dirname(os.__file__), 0o777); return 1")),
    "chmod_what_is_its_own": ("passed", _try("import os; open('x', 'w').close(); os.chmod('x', 0o777); return 1")),
    "chmod_by_descriptor": ("passed", _try("import os; os.fchmod(open('x', 'w').fileno(), 0o777); return 1")),
    "touch_what_is_its_own": ("passed", _try("import os; open('x', 'w').close(); os.utime('x', (1, 1)); return 1")),
    "chown_what_is_its_own": ("passed", _try("import os; open('x', 'w').close(); os.chown('x', 0, 0); return 1")),
    "chmod_by_newer_call": (
        "passed",
        _try(_SYSCALL, "open('x', 'w').close()", "return None if libc.syscall(452, -100, b'x', 0o777, 0) == -1 else 1"),
    ),
    "make_folder": ("passed", _try("import os; os.mkdir('folder'); return 1")),
    "make_link": ("passed", _try("import os; os.symlink('/etc/passwd', 'link'); return open('link').read()")),
    "mount": ("passed", _try(_SYSCALL, "return 1 if libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0 else None")),
    "chroot": ("passed", _try("import os; os.chroot('.'); return 1")),
    "third_party_packages": (
        "passed",
        _try(
            "import sys, os",
            "for p in sys.path:",
            "    f = os.path.join(p, 'site-packages')",
            "    for n in (os.listdir(f) if os.path.isdir(f) else []):",
            "        q = os.path.join(f, n)",
            "        r = os.path.join(q, '__init__.py')",
            "        if os.path.isdir(q) and os.access(r, os.R_OK): return open(r).read()[:0] or n",
        ),
    ),
    "locked_scratch": (
        "passed",
        "import os\ndef f():\n    open('x', 'w').close()\n    try: os.chmod('.', 0)\n    except OSError: pass\n    return 'refused'\n",
    ),
    # secrets
    "environment": (
        "passed",
        _try("import os; return dict(os.environ) or None"),
    ),
    "arguments": ("passed", _try("import sys; return [a for a in sys.argv + sys.orig_argv if a] or None")),
    # network
    "tcp": ("passed", _try("import socket; return socket.create_connection(('127.0.0.1', 22), 1)")),
    "tcp_listen": ("passed", _try("import socket; return socket.create_server(('127.0.0.1', 0))")),
    "udp": (
        "passed",
        _try("import socket; return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))"),
    ),
    "udp6": ("passed", _try("import socket; return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)")),
    "raw_packets": ("passed", _try("import socket; return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)")),
    "netlink": ("passed", _try("import socket; return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)")),
    "abstract_socket": (
        "passed",
        _try("import socket; s = socket.socket(socket.AF_UNIX); return s.bind('\\0evo') or 1"),
    ),
    "unix_socket": ("passed", _try("import socket; s = socket.socket(socket.AF_UNIX); return s.bind('s') or 1")),
    "datagram_from_a_pair": (
        "passed",
        _try(
            "import socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
            "return a.sendto(b'x', '\\0evo')",
        ),
    ),
    "descriptor_passing": (
        "passed",
        _try(
            "import socket, array; a, b = socket.socketpair()",
            "return a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0]))])",
        ),
    ),
    "vsock": ("passed", _try("import socket; return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)")),
    # processes
    "fork": ("passed", _try("import os; return os.fork()")),
    "fork_bomb": (
        "passed",
        "import os\ndef f():\n    try:\n        while True: os.fork()\n    except OSError: return 'refused'\n",
    ),
    "vfork_by_ctypes": ("passed", _try(_SYSCALL, "return None if libc.syscall(58) == -1 else 1")),
    "clone_by_syscall": ("passed", _try(_SYSCALL, "return None if libc.syscall(56, 17, 0, 0, 0, 0) == -1 else 1")),
    "clone3_by_syscall": (
        "passed",
        _try(_SYSCALL, "return None if libc.syscall(435, ctypes.create_string_buffer(88), 88) == -1 else 1"),
    ),
    "subprocess": (
        "passed",
        _try("import subprocess; return subprocess.run(['/bin/sh', '-c', 'id'], capture_output=True)"),
    ),
    "exec": ("passed", _try("import os; os.execv('/bin/sh', ['sh', '-c', 'echo'])")),
    "system": ("passed", "import os\ndef f(): return 'refused' if os.system('id') != 0 else 'got a shell'\n"),
    "posix_spawn": ("passed", _try("import os; return os.posix_spawn('/bin/sh', ['sh'], {})")),
    "multiprocessing": (
        "passed",
        _try("import multiprocessing as m; p = m.Process(target=print); p.start(); return p.pid"),
    ),
    "daemon": (
        "passed",
        _try("import os", "if os.fork() == 0:", "    os.setsid(); import time; time.sleep(99)", "return 1"),
    ),
    "kill_parent": ("passed", _try("import os; os.kill(os.getppid(), 9); return 1")),
    "kill_all": ("passed", _try("import os; os.kill(-1, 9); return 1")),
    "signal_self": ("passed", _try("import os; os.kill(os.getpid(), 9); return 1")),
    "tgkill": (
        "passed",
        _try(_SYSCALL, "return None if libc.syscall(234, os.getppid(), os.getppid(), 9) == -1 else 1"),
    ),
    "pidfd_signal": (
        "passed",
        _try("import os, signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9); return 1"),
    ),
    "ptrace_parent": ("passed", _try(_SYSCALL, "return None if libc.ptrace(16, os.getppid(), 0, 0) == -1 else 1")),
    "read_memory_of_parent": (
        "passed",
        _try(_SYSCALL, "return None if libc.syscall(310, os.getppid(), 0, 0, 0, 0, 0) == -1 else 1"),
    ),
    "steal_descriptor": ("passed", _try(_SYSCALL, "return None if libc.syscall(438, os.getppid(), 0, 0) == -1 else 1")),
    "become_root": ("passed", _try("import os; os.setuid(0); return 1")),
    "unshare": ("passed", _try(_SYSCALL, "return None if libc.unshare(0x10000000) == -1 else 1")),
    "io_uring": (
        "passed",
        _try(_SYSCALL, "return None if libc.syscall(425, 8, ctypes.create_string_buffer(120)) == -1 else 1"),
    ),
    "bpf": ("passed", _try(_SYSCALL, "return None if libc.syscall(321, 0, 0, 0) == -1 else 1")),
    "keyring": ("passed", _try(_SYSCALL, "return None if libc.syscall(250, 0, -3, 0) == -1 else 1")),
    "raise_limits": (
        "passed",
        _try(
            "import resource",
            "try: resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
            "except ValueError: return None",
            "return 1",
        ),
    ),
    "outlive_parent": ("passed", _try(_SYSCALL, "return None if libc.prctl(1, 0, 0, 0, 0) == -1 else 1")),
    "no_seccomp_by_32_bit_call": (
        "passed",
        _try(_SYSCALL, "return None if libc.syscall(0x40000000 + 39) == -1 else 1"),
    ),
    "memfd": ("passed", _try("import os; return os.memfd_create('x')")),
    # resources
    "memory": ("memory", "def f():\n    x = []\n    while True: x.append(bytearray(1 << 20))\n"),
    "memory_at_once": ("memory", "def f(): return len(bytearray(1 << 40))\n"),
    "memory_at_import": ("memory", "x = [0] * (1 << 34)\ndef f(): pass\n"),
    "endless_loop": ("timeout", "def f():\n    while True: pass\n"),
    "endless_import": ("timeout", "while True: pass\n"),
    "sleep": ("timeout", "import time\ndef f(): time.sleep(1000)\n"),
    "hang_in_c": ("timeout", "def f(): return str(10 ** 10 ** 8)[0]\n"),
    "hang_in_regex": ("timeout", "import re\ndef f(): return bool(re.match(r'(a+)+$', 'a' * 64 + 'b'))\n"),
    "unkillable_loop": (
        "timeout",
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ndef f():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
    ),
    "thread_keeps_lock": (
        "timeout",
        "import threading\ndef f():\n    l = threading.Lock(); l.acquire(); l.acquire()\n",
    ),
    "endless_output": ("timeout", "def f():\n    while True: print('x' * 65536)\n"),
    "much_output": (
        "passed",
        "import sys\ndef f():\n    for _ in range(2000):\n        print('x' * 1000); sys.stderr.write('y' * 1000)\n    return 'refused'\n",
    ),
    "input": ("passed", _try("return input('password: ')")),
    "disk_file": (
        "passed",
        _try("h = open('big', 'wb')", "for _ in range(64): h.write(bytes(1 << 20)); h.flush()", "return 1"),
    ),
    "disk_files": (
        "crash timeout",
        "import itertools, time\ndef f():\n    for i in itertools.count():\n        try: open(str(i), 'wb').write(bytes(1 << 20))\n        except OSError: time.sleep(0.01)\n",
    ),
    "disk_many_files": (
        "crash timeout",
        "import itertools, time\ndef f():\n    for i in itertools.count():\n        try: open(str(i), 'wb').close()\n        except OSError: time.sleep(0.01)\n",
    ),
    "descriptors": (
        "passed",
        _try(
            "import os",
            "kept = []",
            "while True: kept.append(os.open('/dev/null', os.O_RDONLY)) if len(kept) < 500 else 1 / 0",
        ),
    ),
    "threads": (
        "passed",
        "import threading, time\ndef f():\n    try:\n        for _ in range(2000): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n    except RuntimeError: return 'refused'\n    return 'got 2000 threads'\n",
    ),
    "recursion": ("exception", "def f(): return f()\n"),
    "recursion_in_c": (
        "crash",
        "import sys\nsys.setrecursionlimit(1 << 30)\ndef f():\n    x = ()\n    for _ in range(10 ** 6): x = (x,)\n    return hash(x)\n",
    ),
    "segfault": ("crash", "import ctypes\ndef f(): return ctypes.string_at(8)\n"),
    "abort": ("crash", "import os\ndef f(): os.abort()\n"),
    # answers that hurt their reader
    "huge_answer": ("unsupported_result", "def f(): return 'x' * (1 << 21)\n"),
    "wide_answer": ("unsupported_result", "def f():\n    x = []\n    for _ in range(64): x = [x, x]\n    return x\n"),
    "deep_answer": ("unsupported_result", "def f():\n    x = []\n    for _ in range(10000): x = [x]\n    return x\n"),
    "cycle": ("unsupported_result", "def f():\n    x = []\n    x.append(x)\n    return x\n"),
    "huge_int": ("assertion", "def f(): return 1 << 8_000_000\n"),
    "too_huge_int": ("unsupported_result", "def f(): return 1 << 80_000_000\n"),
    "surrogates": ("assertion", "def f(): return '\\ud800' * 100\n"),
    "terminal_codes": ("assertion", "def f(): return '\\x1b[2J\\x1b]0;owned\\x07\\u202e'\n"),
    "colliding_set": ("protocol", "def f(): return {i * (2 ** 61 - 1) for i in range(1, 1000)}\n"),
    "endless_iterator": ("assertion", "import itertools\ndef f(): return itertools.count()\n"),
    "impossible_length": ("protocol", "import os\ndef f(): os.write(3, b'\\xff\\xff\\xff\\xff')\n"),
    "half_a_frame": ("timeout", "import os, time\ndef f():\n    os.write(3, b'\\x10\\0\\0\\0V')\n    time.sleep(99)\n"),
    "error_without_text": (
        "exception",
        "class E(ValueError):\n    def __str__(self): raise SystemExit\ndef f(): raise E\n",
    ),
    "error_with_long_text": ("exception", "def f(): raise ValueError('x' * 10_000_000)\n"),
    "error_as_a_group": ("exception", "def f(): raise ExceptionGroup('g', [ValueError(1)] * 1000)\n"),
    "deleted_builtins": (
        "exception",
        "import builtins\ndef f():\n    builtins.__dict__.clear()\n    return undefined\n",
    ),
    # found by attacking it: each was once a hole
    "signal_by_descriptor": (
        "passed",
        "import fcntl, os, socket\ndef f():\n    a, b = socket.socketpair()\n    try:\n        fcntl.fcntl(a, fcntl.F_SETOWN, os.getppid())\n        fcntl.fcntl(a, 10, 9)\n        fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC)\n        b.send(b'x')\n    except OSError: return 'refused'\n    return 'sent'\n",
    ),
    "signal_by_lease": (
        "passed",
        _try("import fcntl", "h = open('x', 'w')", "return fcntl.fcntl(h, 1024, fcntl.F_WRLCK) + 1"),
    ),
    "disk_by_fallocate": (
        "passed",
        _try(
            _SYSCALL,
            "h = os.open('big', os.O_CREAT | os.O_RDWR)",
            "number = 285 if os.uname().machine == 'x86_64' else 47",
            "return None if libc.syscall(number, h, 1, ctypes.c_long(0), ctypes.c_long(1 << 28)) == -1 else 'got it'",
        ),
    ),
    # and more that was tried
    "move_parent_to_a_processor": ("passed", _try("import os; os.sched_setaffinity(os.getppid(), {0}); return 1")),
    "slow_the_parent": ("passed", _try("import os; os.setpriority(os.PRIO_PROCESS, os.getppid(), 19); return 1")),
    "kill_group": ("passed", _try("import os; os.killpg(0, 9); return 1")),
    "queue_a_signal": ("passed", _try(_SYSCALL, "return None if libc.sigqueue(os.getppid(), 9, 0) == -1 else 1")),
    "shared_memory": (
        "passed",
        _try("from multiprocessing import shared_memory as s; return s.SharedMemory(create=True, size=9).name"),
    ),
    "system_v_memory": ("passed", _try(_SYSCALL, "return None if libc.shmget(0, 4096, 0o1666) == -1 else 1")),
    "message_queue": (
        "passed",
        _try(_SYSCALL, "return None if libc.mq_open(b'/evo', 0o102, 0o600, None) == -1 else 1"),
    ),
    "new_session_keyring": ("passed", _try(_SYSCALL, "return None if libc.syscall(250, 1, 0) == -1 else 1")),
    "extended_attribute": ("passed", _try("import os; os.setxattr('.', 'user.kept', b'x'); return 1")),
    "watch_files": ("passed", _try(_SYSCALL, "return None if libc.inotify_init() == -1 else 1")),
    "userfaultfd": ("passed", _try(_SYSCALL, "return None if libc.syscall(323, 0) == -1 else 1")),
    "perf_event": ("passed", _try(_SYSCALL, "return None if libc.syscall(298, 0, 0, -1, -1, 0) == -1 else 1")),
    "kernel_log": ("passed", _try(_SYSCALL, "return None if libc.klogctl(3, None, 0) == -1 else 1")),
    "device": ("passed", _try("return open('/dev/mem', 'rb') or open('/dev/kmsg')")),
    "terminal": ("passed", _try("return open('/dev/tty', 'w')")),
    "hard_link": ("passed", _try("import os; os.link(os.__file__, 'link'); return 1")),
    "open_by_handle": ("passed", _try(_SYSCALL, "return None if libc.syscall(304, -100, 0, 0) == -1 else 1")),
    "thousands_of_threads": (
        "passed timeout",
        "import threading, time\ndef f():\n    threading.stack_size(32768)\n    try:\n        for _ in range(9000): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n    except RuntimeError: return 'refused'\n    return 'got 9000 threads'\n",
    ),
    "exit_while_asked": (
        "crash",
        "import os, threading\ndef f():\n    threading.Timer(0.01, os._exit, [0]).start()\n    while True: pass\n",
    ),
    "executable_memory": (
        "passed crash",
        "import mmap, ctypes\ndef f():\n    m = mmap.mmap(-1, 4096, prot=7)\n    m.write(b'\\xb8\\x39\\0\\0\\0\\x0f\\x05\\xc3')\n    got = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()\n    return 'refused' if got < 0 else f'forked {got}'\n",
    ),
}
