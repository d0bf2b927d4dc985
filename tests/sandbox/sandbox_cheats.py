# ruff: noqa: E501 - programs read best on one line
"""Programs that want a pass without doing the work. ``add(a, b)`` is asked for; none of these adds.

Each entry: name -> (how its verdict is named, program). Wrong answers that are told plainly count as assertions.
"""

CHECK = """
def check(candidate):
    assert candidate(2, 3) == 5
    assert candidate(-1, 1) == 0
    assert candidate([1], [2]) == [1, 2]
    assert not candidate(-3, 3)
"""

CHEATS: dict[str, tuple[str, str]] = {
    # ending before the tests do
    "exit_at_import": ("load_error", "import sys\nsys.exit(0)\ndef add(a, b): pass\n"),
    "exit_in_call": ("exception", "import sys\ndef add(a, b): sys.exit(0)\n"),
    "raise_system_exit": ("load_error", "raise SystemExit\n"),
    "quit_builtin": ("load_error", "def add(a, b): pass\nquit(0)\n"),
    "hard_exit_at_import": ("crash", "import os\nos._exit(0)\n"),
    "hard_exit_in_call": ("crash", "import os\ndef add(a, b): os._exit(0)\n"),
    "exit_in_thread": (
        "crash",
        "import os, threading\ndef add(a, b):\n    threading.Thread(target=os._exit, args=(0,)).start()\n    while True: pass\n",
    ),
    "exit_by_ctypes": ("crash", "import ctypes\ndef add(a, b): ctypes.CDLL(None)._exit(0)\n"),
    "keyboard_interrupt": ("exception", "def add(a, b): raise KeyboardInterrupt\n"),
    "generator_exit": ("exception", "def add(a, b): raise GeneratorExit\n"),
    "stop_iteration": ("exception", "def add(a, b): raise StopIteration(5)\n"),
    "assertion_error_of_its_own": ("exception", "def add(a, b): raise AssertionError('passed')\n"),
    "atexit_exit_zero": ("load_error", "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit(0)\n"),
    "excepthook": ("load_error", "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\n1 / 0\n"),
    "close_every_descriptor": ("crash", "import os\ndef add(a, b):\n    os.closerange(0, 256)\n    return 5\n"),
    # values that claim to be equal
    "equal_to_all": (
        "assertion",
        "class E:\n    def __eq__(self, other): return True\n    def __bool__(self): return False\ndef add(a, b): return E()\n",
    ),
    "equal_int": (
        "assertion",
        "class E(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef add(a, b): return E(7)\n",
    ),
    "equal_str": (
        "assertion",
        "class E(str):\n    def __eq__(self, other): return True\ndef add(a, b): return E('5')\n",
    ),
    "equal_list": (
        "assertion",
        "class E(list):\n    def __eq__(self, other): return True\ndef add(a, b): return E([5])\n",
    ),
    "equal_dict": (
        "assertion",
        "class E(dict):\n    def __eq__(self, other): return True\ndef add(a, b): return E()\n",
    ),
    "equal_float_nan": (
        "assertion",
        "class E(float):\n    def __eq__(self, other): return True\ndef add(a, b): return E('nan')\n",
    ),
    "equal_tuple_in_list": (
        "assertion",
        "class E:\n    def __eq__(self, other): return True\ndef add(a, b): return [E()]\n",
    ),
    "equal_by_metaclass": (
        "assertion",
        "class M(type):\n    def __eq__(self, other): return True\n    def __hash__(self): return 1\nclass E(metaclass=M): pass\ndef add(a, b): return E\n",
    ),
    "reflected_comparison": (
        "assertion",
        "class E(int):\n    def __req__(self, o): return True\n    def __ne__(self, o): return False\n    __eq__ = lambda s, o: True\ndef add(a, b): return E(99)\n",
    ),
    "lying_class": (
        "assertion",
        "class E:\n    __class__ = int\n    def __eq__(self, o): return True\n    def __int__(self): return 5\n    def __index__(self): return 5\ndef add(a, b): return E()\n",
    ),
    "mock": ("assertion", "from unittest.mock import MagicMock, ANY\ndef add(a, b): return ANY\n"),
    "exec_on_repr": (
        "assertion",
        "class E:\n    def __repr__(self): raise SystemExit\n    __str__ = __repr__\ndef add(a, b): return E()\n",
    ),
    "lying_type_name": (
        "assertion",
        "E = type('int', (), {'__eq__': lambda s, o: True, '__bool__': lambda s: False})\ndef add(a, b): return E()\n",
    ),
    "truth_raises": ("exception", "class E:\n    def __bool__(self): raise SystemExit(0)\ndef add(a, b): return E()\n"),
    # changing what compares
    "patched_assertion_error": (
        "assertion",
        "import builtins\nbuiltins.AssertionError = Exception\ndef add(a, b): return None\n",
    ),
    "patched_builtins": (
        "assertion",
        "import builtins\nfor n in ('abs', 'all', 'any', 'sum', 'sorted', 'bool'): setattr(builtins, n, lambda *a, **k: True)\ndef add(a, b): return 1\n",
    ),
    "patched_operator": ("assertion", "import operator\noperator.eq = lambda a, b: True\ndef add(a, b): return 1\n"),
    "own_check": ("assertion", "def check(candidate): return True\ndef add(a, b): return 1\n"),
    "main_check": (
        "assertion",
        "import sys, types\nm = sys.modules['__main__']\nm.check = lambda c: True\ndef add(a, b): return 1\n",
    ),
    "patched_trace": (
        "assertion",
        "import sys\nsys.settrace(lambda f, e, a: None)\nsys.setprofile(lambda f, e, a: None)\ndef add(a, b): return 1\n",
    ),
    "frames_up": (
        "assertion",
        "import sys\ndef add(a, b):\n    f = sys._getframe()\n    while f:\n        for k, v in list(f.f_locals.items()):\n            if k in ('expected', 'right', 'result', 'witness'): return v\n        f = f.f_back\n",
    ),
    "gc_hunt": (
        "assertion",
        "import gc\ndef add(a, b):\n    for o in gc.get_objects():\n        if isinstance(o, dict) and 'expected' in o: return o['expected']\n",
    ),
    "source_hunt": (
        "assertion",
        "import linecache, inspect, sys\ndef add(a, b):\n    try: return eval(inspect.getsource(sys._getframe(1)).split('==')[1])\n    except BaseException: return None\n",
    ),
    "patched_os_write": (
        "protocol",
        "import os\nw = os.write\nos.write = lambda fd, b: (w(fd, b'\\x01\\0\\0\\0P'), len(b))[1]\ndef add(a, b): return 1\n",
    ),
    "patched_struct": (
        "protocol",
        "import struct\np = struct.pack\nstruct.pack = lambda f, *a: p('<I', 0)\ndef add(a, b): return 1\n",
    ),
    "patched_encoder": (
        "assertion",
        "import sys, gc\ndef add(a, b):\n    for o in gc.get_objects():\n        if getattr(o, '__name__', '') == 'encode' and 'wire' in getattr(o, '__module__', '') and hasattr(o, '__code__'):\n            o.__code__ = (lambda value, export, limit: b'Z').__code__\n    return 1\n",
    ),
    # speaking for the harness
    "print_passed": ("assertion", "print('PASSED', flush=True)\ndef add(a, b):\n    print('OK'); return 1\n"),
    "forged_frame": (
        "protocol",
        "import os, struct\nfor fd in range(3, 64):\n    try: os.write(fd, struct.pack('<I', 1) + b'P')\n    except OSError: pass\ndef add(a, b): return 1\n",
    ),
    "forged_fault": (
        "protocol",
        "import os, struct\nfor fd in range(3, 64):\n    try: os.write(fd, struct.pack('<I', 6) + b'Ffault')\n    except OSError: pass\nos._exit(0)\n",
    ),
    "forged_values": (
        "protocol",
        "import os, struct\nv = b'Vi\\x01\\0\\0\\0\\x07'\nv = struct.pack('<I', len(v)) + v\nr = struct.pack('<I', 1) + b'R'\nfor fd in range(3, 64):\n    try: os.write(fd, r + v * 4)\n    except OSError: pass\nimport time\ntime.sleep(9)\n",
    ),
    "forged_verdict_file": (
        "assertion",
        "open('verdict.json', 'w').write('{\"status\": \"passed\"}')\ndef add(a, b): return 1\n",
    ),
    "forged_exception": (
        "protocol",
        "import os, struct\ndef add(a, b):\n    c = b'Xl\\0\\0\\0\\0'\n    os.write(3, struct.pack('<I', len(c)) + c)\n",
    ),
    # telling calls apart
    "answer_by_mutation": (
        "assertion",
        "def add(a, b):\n    if isinstance(a, list):\n        a.clear(); b.clear()\n    return 5\n",
    ),
    "constant": ("assertion", "def add(a, b): return 5\n"),
    "counting": ("assertion", "n = 0\ndef add(a, b):\n    global n\n    n += 1\n    return [5, 0, [1], 1][n - 1]\n"),
    # not being a function
    "entry_point_missing": ("load_error", "def addition(a, b): return a + b\n"),
    "entry_point_none": ("load_error", "add = None\n"),
    "entry_point_class": (
        "assertion",
        "class add:\n    def __init__(self, a, b): pass\n    def __eq__(self, other): return True\n",
    ),
    "entry_point_coroutine": ("assertion", "async def add(a, b): return a + b\n"),
    "entry_point_generator": ("assertion", "def add(a, b): yield a + b\n"),
    "syntax_error": ("load_error", "def add(a, b:\n    return a + b\n"),
    "empty": ("load_error", ""),
    "null_bytes": ("load_error", "def add(a, b): return a + b\n\0"),
    # the machinery in its own process
    "ctypes_into_small_ints": (
        "assertion exception protocol crash timeout",
        "import ctypes\ndef add(a, b):\n    ctypes.c_long.from_address(id(7) + 24).value = 5\n    return 7\n",
    ),
    "ctypes_into_arguments": (
        "assertion exception protocol crash timeout",
        "import ctypes\ndef add(a, b):\n    if isinstance(a, int): ctypes.c_long.from_address(id(a) + 24).value = 3\n    return a\n",
    ),
    "channel_object": (
        "protocol",
        "import sys\nf = sys._getframe()\nwhile 'channel' not in f.f_locals: f = f.f_back\no = f.f_locals['channel']; o.send(b'V', o.encode(5))\nimport time; time.sleep(0.05)\ndef add(a, b): return 1\n",
    ),
    "channel_send_replaced": (
        "protocol",
        "import sys\nf = sys._getframe()\nwhile 'channel' not in f.f_locals: f = f.f_back\nC = type(f.f_locals['channel']); keep = C.send\nC.send = lambda self, op, content: keep(self, b'S', b'')\ndef add(a, b): return 1\n",
    ),
    "frames_of_the_zygote": (
        "assertion",
        "import sys\nf = sys._getframe(); seen = []\nwhile f: seen.append((f.f_locals, f.f_globals)); f = f.f_back\ndef add(a, b):\n    text = repr(seen)\n    return 5 if 'candidate(2, 3)' in text or 'expected' in text else 0\n",
    ),
    "environment_answers": (
        "assertion",
        "import os, sys\ndef add(a, b):\n    text = repr((dict(os.environ), sys.argv, sys.orig_argv, os.listdir('.')))\n    return 5 if 'assert' in text else 0\n",
    ),
    "signal_in_the_call": (
        "assertion",
        "import signal\nsignal.signal(signal.SIGALRM, lambda *a: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\ndef add(a, b): return 1\n",
    ),
    "thread_answers_later_questions": (
        "protocol",
        "import os, struct, threading, time\nv = b'Vj\\x05'\nv = struct.pack('<I', len(v)) + v\ndef flood():\n    while True: os.write(3, v * 50)\ndef add(a, b):\n    threading.Thread(target=flood, daemon=True).start(); time.sleep(0.2)\n    return 5\n",
    ),
    "two_answers_to_one_question": (
        "protocol",
        "import os, struct\nv = b'Vj\\x05'\nv = struct.pack('<I', len(v)) + v\ndef add(a, b):\n    os.write(3, v + v)\n    import time; time.sleep(9)\n",
    ),
    "answers_at_import": (
        "protocol",
        "import os, struct, time\nv = b'Vj\\x05'\nv = struct.pack('<I', len(v)) + v\nos.write(3, struct.pack('<I', 1) + b'R' + v * 9)\ntime.sleep(9)\n",
    ),
    "asks_back": (
        "protocol exception",
        "import os, struct\nc = b'Bt\\x03\\0\\0\\0j\\xfft\\0\\0\\0\\0d\\0\\0\\0\\0'\ndef add(a, b):\n    for _ in range(3): os.write(3, struct.pack('<I', len(c)) + c)\n    return 5\n",
    ),
    "arguments_changed_out_of_shape": (
        "protocol",
        "import os, struct\nc = b'Md\\x02\\0\\0\\0j\\x00j\\x05'\ndef add(a, b):\n    os.write(3, struct.pack('<I', len(c)) + c)\n    import time; time.sleep(9)\n",
    ),
    "change_without_a_call": (
        "protocol",
        "import os, struct\nc = b'Mt\\x02\\0\\0\\0' + b't\\0\\0\\0\\0' + b'd\\0\\0\\0\\0'\nos.write(3, struct.pack('<I', len(c)) + c)\nimport time; time.sleep(9)\n",
    ),
    "handles_of_everything": (
        "assertion",
        "import os, struct, time\ndef add(a, b):\n    h = b'h\\x03\\x01\\0\\0\\0\\0s\\x04\\0\\0\\0eval'\n    c = b'V' + h\n    os.write(3, struct.pack('<I', len(c)) + c)\n    time.sleep(9)\n",
    ),
    "closed_from_within": (
        "crash",
        "import os, socket\ndef add(a, b):\n    socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)\n    return 5\n",
    ),
    # ways out of a comparison
    "stop_async_iteration": ("exception", "def add(a, b): raise StopAsyncIteration\n"),
    "base_exception_group": ("exception", "def add(a, b): raise BaseExceptionGroup('g', [SystemExit(0)])\n"),
    "exception_with_a_lying_class": (
        "exception",
        "class E(Exception):\n    __class__ = AssertionError\n    args = property(lambda s: exit())\n    def __str__(self): return 'passed'\ndef add(a, b): raise E\n",
    ),
    "class_named_as_a_builtin": (
        "exception",
        "E = type('SystemExit', (BaseException,), {})\ndef add(a, b): raise E(0)\n",
    ),
    "metaclass_mro": (
        "assertion exception unsupported_result",
        "class M(type):\n    def mro(cls): return [cls, int, object]\ntry:\n    class E(metaclass=M): __slots__ = ()\nexcept TypeError: E = int\ndef add(a, b): return E()\n",
    ),
    "instance_check": (
        "assertion",
        "class M(type):\n    def __instancecheck__(c, o): return True\n    def __subclasscheck__(c, o): return True\nclass E(metaclass=M):\n    def __eq__(s, o): return True\ndef add(a, b): return E()\n",
    ),
    "hash_equal_to_all": (
        "assertion",
        "class E(str):\n    def __hash__(self): return hash(5)\n    def __eq__(self, o): return True\ndef add(a, b): return {E(): 5}\n",
    ),
    "dictionary_that_lies": (
        "assertion",
        "class D(dict):\n    def items(self): return [(5, 5)]\n    __iter__ = keys = lambda self: iter([5])\n    __len__ = lambda self: 1\ndef add(a, b): return D()\n",
    ),
    "generator_of_answers": ("assertion", "def add(a, b): return (n for n in (5, 0, [1, 2], False))\n"),
    "slow_iterator": (
        "assertion timeout",
        "import time\ndef add(a, b):\n    while True:\n        time.sleep(0.01); yield 5\n",
    ),
    "partial_and_bound": ("assertion", "import functools\ndef add(a, b): return functools.partial(int, 5)\n"),
    "surrogate_text": ("assertion", "def add(a, b): return '\\udcff5'\n"),
    "deep_nest": ("unsupported_result", "def add(a, b):\n    x = 5\n    for _ in range(100): x = [x]\n    return x\n"),
    # keeping something for the next run
    "file_for_the_next_run": (
        "assertion",
        "import os\ndef add(a, b):\n    if os.path.exists('kept'): return a + b\n    open('kept', 'w').write('x')\n",
    ),
    "flags_for_the_next_run": (
        "assertion",
        "import fcntl, os\ndef flags(): return [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (0, 1, 2)]\nkept = any(flags())\nfor fd in (0, 1, 2): fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)\ndef add(a, b): return a + b if kept else None\n",
    ),
    "time_stamps_for_the_next_run": (
        "assertion",
        "import os\ndef add(a, b):\n    if os.stat('.').st_mtime == 42: return a + b\n    try: os.utime('.', (42, 42))\n    except OSError: pass\n",
    ),
    "locks_for_the_next_run": (
        "assertion",
        "import fcntl\ndef add(a, b):\n    for fd in (0, 4):\n        try: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n        except BlockingIOError: return a + b\n        except OSError: pass\n",
    ),
}

# With checks of their own: what a test may do that a program could turn to its use.
WITH_CHECKS: dict[str, tuple[str, str, str]] = {
    "stop_iteration_ends_a_map": (
        "exception",
        "def add(a, b): raise StopIteration\n",
        "def check(candidate):\n    for got, right in zip(map(candidate, [1, 2], [3, 4]), [4, 6]):\n        assert got == right\n    assert all(map(candidate, [1], [2]))\n",
    ),
    "stop_iteration_ends_a_sentinel": (
        "exception",
        "def add(*a): raise StopIteration\n",
        "def check(candidate):\n    assert list(iter(candidate, 5)) == []\n",
    ),
    "number_without_text": (
        "assertion",
        "def add(a, b): return 1 << 8_000_000\n",
        "def check(candidate):\n    got = candidate(1, 2)\n    assert got == 3, got\n",
    ),
    "key_without_text": (
        "exception",
        "def add(a, b): return 1 << 8_000_000\n",
        "def check(candidate):\n    assert {}[candidate(1, 2)] == 3\n",
    ),
    "argument_emptied": (
        "assertion",
        "def add(a, b):\n    a.clear()\n    return []\n",
        "def check(candidate):\n    given = [2, 1]\n    assert candidate(given, 0) == sorted(given)\n",
    ),
    "exception_the_check_expects_elsewhere": (
        "assertion",
        "def add(a, b): raise ValueError\n",
        "def check(candidate):\n    try:\n        candidate(1, 2)\n    except ValueError:\n        pass\n    else:\n        assert False\n    try:\n        got = candidate(1, 2)\n    except ValueError:\n        got = None\n    assert got == 3\n",
    ),
    "dies_in_a_check_that_catches_all": (
        "crash",
        "import os\ndef add(a, b): os._exit(0)\n",
        "def check(candidate):\n    try:\n        assert candidate(1, 2) == 3\n    except BaseException:\n        pass\n",
    ),
    "endless_large_iterator": (
        "unsupported_result timeout",
        "def add(a, b):\n    while True: yield 'x' * 1_000_000\n",
        "def check(candidate):\n    assert sorted(candidate(1, 2)) == [3]\n",
    ),
    "collisions_in_the_check": (
        "timeout",
        "def add(a, b): return [n * (2 ** 61 - 1) for n in range(1, 60000)]\n",
        "def check(candidate):\n    assert set(candidate(1, 2)) == {3}\n",
    ),
    "memory_of_the_check": (
        "memory timeout",
        "def add(a, b): return range(10 ** 18)\n",
        "def check(candidate):\n    assert list(candidate(1, 2)) == [3]\n",
    ),
    "never_called": ("no_call", "def add(a, b): return 3\n", "def check(candidate):\n    assert callable(candidate)\n"),
}
