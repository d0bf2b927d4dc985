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
        "assertion",
        "import os, struct\nv = struct.pack('<I', 16) + b'Vt\\x02\\0\\0\\0i\\x01\\0\\0\\0\\x07N'\nv = struct.pack('<I', len(v) - 4) + v[4:]\nr = struct.pack('<I', 1) + b'R'\nfor fd in range(3, 64):\n    try: os.write(fd, r + v * 4)\n    except OSError: pass\nimport time\ntime.sleep(9)\n",
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
}
