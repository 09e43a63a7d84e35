"""The only unpickling in the project: foreign pickles -> plain containers, tensors and records. Executes nothing.

A pickle is a program for a small stack machine. This is such a machine in which names stay names: no module is imported, no
class is made, and calls are what calls.py makes of them. What it may cost is counted. Must not know networks.
"""
import pickletools
from typing import Any

from engine.checkpoints.calls import Calls
from engine.checkpoints.records import Array, DType, Name, Reader, Record
from engine.errors import UserError

MAX_BYTES = 1 << 32              # of a file: a training checkpoint of the largest networks has about 3 GB
NAME = 4                         # parts that a name counts as
SMALL = 64                       # bytes up to which a piece is copied instead of looked at where it lies
TRUST = ("if you trust where it comes from, save it again as plain tensors: torch.save({'g_ema': generator.state_dict()}, \"network.pt\") "
         "in the program it was made with")
HARMFUL = ("os", "posix", "nt", "subprocess", "sys", "shutil", "socket", "ctypes", "runpy", "importlib", "pty", "code", "webbrowser", "signal")
HARMFUL_BUILTINS = ("eval", "exec", "execfile", "compile", "open", "input", "__import__", "breakpoint", "globals", "apply")


class Machine(Calls):
    """Reads one pickle after another from a Reader. stored(id) -> Storage: where torch keeps numbers beside the pickle."""

    reader: Any                          # a Reader; the standard library asks for a file of every kind of call

    def __init__(self, reader: Reader, stored=None, nested=None):
        super().__init__(len(reader.view), nested)
        self.reader, self.stored = reader, stored

    def load(self):
        """Return the content of the next pickle."""
        self.stack, self.marks, self.memo = [], [], {}
        for opcode, argument, _ in pickletools.genops(self.reader):
            self.count(1)
            action = ACTIONS.get(opcode.name)
            if action is None:
                raise ValueError(f"an opcode {opcode.name}")
            if action == "push":
                self.stack.append(self._lean(argument))
            elif opcode.name == "STOP":
                return self.stack.pop()
            else:
                getattr(self, f"_{action}")(argument, opcode.name)
        raise EOFError("it has no end")

    def _lean(self, argument):
        """Return the bytes where they lie in the file instead of a copy."""
        if isinstance(argument, (bytes, bytearray)) and len(argument) > SMALL:
            return self.reader.view[self.reader.at - len(argument):self.reader.at]
        return argument

    def _skip(self, *_):
        pass

    def _constant(self, _, name):
        self.stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}.get(name))

    def _empty(self, _, name):
        self.stack.append({} if name == "EMPTY_DICT" else () if name == "EMPTY_TUPLE" else [])

    def _mark(self, *_):
        self.marks.append(self.stack)
        self.stack = []

    def _take_marked(self):
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _pop(self, *_):
        self._take_marked() if not self.stack and self.marks else self.stack.pop()

    def _pop_mark(self, *_):
        self._take_marked()

    def _dup(self, *_):
        self.stack.append(self.stack[-1])

    def _put(self, argument, name):
        self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.stack[-1]

    def _get(self, argument, _):
        self.stack.append(self.memo[argument])

    def _few(self, _, name):
        count = int(name[-1])
        self.stack[-count:] = [tuple(self.stack[-count:])] if len(self.stack) >= count else self._short()

    def _short(self):
        raise ValueError("it takes more than there is")

    def _many(self, _, name):
        items = self._take_marked()
        if name == "DICT":
            self.stack.append({})
            self._set(items)
        else:
            self.stack.append(tuple(items) if name == "TUPLE" else items)

    def _append(self, _, name):
        items = self._take_marked() if name != "APPEND" else [self.stack.pop()]
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def _setitem(self, _, name):
        items = self._take_marked() if name == "SETITEMS" else [self.stack.pop(-2), self.stack.pop()]
        self._set(items)

    def _set(self, items):
        """Put [key, value, key, value, ...] where the stack ends; only what costs nothing to compare is a key."""
        there = self.stack[-1]
        table = there.items if isinstance(there, Record) else there
        if not isinstance(table, dict):
            raise ValueError("entries for what is no table")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key is None or isinstance(key, (str, bytes, int, float)):
                table[key] = value

    def _global(self, argument, name):
        self.count(NAME)
        if name == "STACK_GLOBAL":
            called, module = self.stack.pop(), self.stack.pop()
        else:
            module, _, called = argument.partition(" ")
        if not (isinstance(module, str) and isinstance(called, str)):
            raise ValueError("a name that is no text")
        if module.split(".")[0] in HARMFUL or module in ("builtins", "__builtin__") and called in HARMFUL_BUILTINS:
            raise UserError(f"refused: its pickle asks for {f'{module[:40]}.{called[:40]}'!r}, which no StyleGAN2 checkpoint needs and "
                            f"which could harm this machine; {TRUST}")
        named = Name(module, called)
        self.stack.append(self.call(named, tuple(self._take_marked())) if name == "INST" else named)

    def _reduce(self, _, name):
        keywords = self.stack.pop() if name == "NEWOBJ_EX" else None
        if name == "OBJ":
            called, *arguments = self._take_marked()
        else:
            arguments, called = self.stack.pop(), self.stack.pop()
        if not isinstance(arguments, (tuple, list)):
            raise ValueError("a call without arguments")
        made = self.call(called, tuple(arguments))
        if isinstance(made, Record) and isinstance(keywords, dict) and not made.items:
            made.items = keywords
        self.stack.append(made)

    def _build(self, *_):
        state, there = self.stack.pop(), self.stack[-1]
        if isinstance(there, Record):
            if isinstance(state, tuple) and len(state) == 2 and all(part is None or isinstance(part, dict) for part in state):
                state = state[0] or state[1]                        # a table and slots
            there.state = state
        elif isinstance(there, DType):
            there.order = ">" if state[1] == ">" else "<"
        elif isinstance(there, Array):
            _, there.shape, there.dtype, there.fortran, there.raw = state

    def _persistent(self, argument, name):
        if self.stored is None:
            raise ValueError("numbers that lie elsewhere")
        self.stack.append(self.stored(self.stack.pop() if name == "BINPERSID" else argument))


ACTIONS = {name: action for action, names in {
    "push": "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
            "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8",
    "skip": "PROTO FRAME", "constant": "NONE NEWTRUE NEWFALSE", "empty": "EMPTY_LIST EMPTY_DICT EMPTY_TUPLE EMPTY_SET", "mark": "MARK",
    "pop": "POP", "pop_mark": "POP_MARK", "dup": "DUP", "put": "PUT BINPUT LONG_BINPUT MEMOIZE", "get": "GET BINGET LONG_BINGET",
    "few": "TUPLE1 TUPLE2 TUPLE3", "many": "TUPLE LIST DICT FROZENSET", "append": "APPEND APPENDS ADDITEMS", "setitem": "SETITEM SETITEMS",
    "global": "GLOBAL STACK_GLOBAL INST", "reduce": "REDUCE NEWOBJ NEWOBJ_EX OBJ", "build": "BUILD", "persistent": "PERSID BINPERSID",
    "stop": "STOP"}.items() for name in names.split()}
