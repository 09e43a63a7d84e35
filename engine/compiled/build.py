"""The passes written in C, compiled once for this machine and loaded. Knows the system's compiler and a folder for what it makes.

Everything here may be missing: a compiler, a folder that can be written to, torch's threads. Then there is no library, and
torch's own operations do the same more slowly.
"""
import contextlib
import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import stat
import subprocess
import threading
from functools import lru_cache
from pathlib import Path

from engine.errors import UserError
from engine.files import find_cache, whole

log = logging.getLogger(__name__)
SOURCES = tuple(Path(__file__).with_name(name) for name in ("passes.c", "passes.h", "convolve.h", "weights.h", "styles.h", "echo.h", "enlarge.h", "numbers.h"))
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
WHOLE_REGISTERS = "-mprefer-vector-width=512"               # where they are as wide: compilers take half of one by themselves
MEASURED = "avx2"                           # what a processor can do where the passes were measured to be faster than torch's operations
SWITCH = "LATENT_JOCKEY_COMPILED"           # 0 in the environment: torch's operations
LONGEST = 120.0                             # seconds that a compiler may take
_one_at_a_time = threading.Lock()           # who needs what is being compiled waits for it


@lru_cache(maxsize=1)
def load_library() -> ctypes.CDLL | None:
    """Return the passes, compiled if they are not there yet; None where that can't be, with a line in the log that says why."""
    try:
        return open_library(find_cache("compiled"))
    except UserError as error:
        log.info("without compiled passes: %s", error)
        return None


def compile_ahead():
    """Make the library, if it is not there yet; for a thread beside the import of torch, which takes as long. load_library() says what goes wrong."""
    with contextlib.suppress(UserError):
        _check_machine()
        compile_library(find_cache("compiled"))


def open_library(folder: Path) -> ctypes.CDLL:
    """Return the passes from a folder, compiled if they are not there yet or can't be loaded. UserError: why there are none."""
    _check_machine()
    threads = find_threads()
    if threads is None:
        raise UserError("torch computes in other threads than GNU's on this system")
    try:
        library = ctypes.CDLL(str(compile_library(folder)))
    except OSError:                             # a file that was damaged
        library = _compile_anew(folder)
    library.use_threads(*(ctypes.cast(getattr(threads, name), ctypes.c_void_p) for name in ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")))
    return library


def _check_machine():
    """Raise a UserError where there are to be no passes."""
    if os.environ.get(SWITCH) == "0":
        raise UserError(f"switched off by {SWITCH}=0")
    if MEASURED not in _processor():
        raise UserError("this kind of processor was not measured: only those with AVX2 and AVX-512 were")


def _compile_anew(folder):
    file = compile_library(folder)
    try:
        file.unlink()
        return ctypes.CDLL(str(compile_library(folder)))
    except OSError as error:
        raise UserError(f"{file}: can't be loaded: {error}") from None


def compile_library(folder: Path) -> Path:
    """Return the library's file in the folder, compiled for this processor if it is not there. UserError: why it can't be."""
    with _one_at_a_time:
        return _compile(folder, folder / f"{_name()}.so")


def _compile(folder, file) -> Path:
    for path in filter(Path.exists, (folder, file)):
        if path.stat().st_uid not in (0, os.getuid()) or path.stat().st_mode & stat.S_IWOTH:
            raise UserError(f"{path}: others can write there, and what lies there is run; take that from them, or set XDG_CACHE_HOME to a folder of your own")
    if file.exists():
        return file
    compiler = shlex.split(os.environ.get("CC", "")) or [path for path in map(shutil.which, COMPILERS) if path][:1]
    if not compiler:
        raise UserError("no C compiler. On Debian and Ubuntu: sudo apt install build-essential")
    log.info("compiling for this processor, once: %s", file)
    with whole(file, make_folder=True) as temporary:
        _run_compiler([*compiler, *_flags(), "-o", str(temporary), str(SOURCES[0])])
        with open(temporary, "rb") as file_made:
            os.fsync(file_made.fileno())        # a library that a power cut left half written would crash who loads it
    return file


def _run_compiler(command):
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(f"{command[0]}: {error}") from None
    if made.returncode:
        raise UserError(f"{command[0]} failed: {(made.stderr.strip().splitlines() or ['no reason given'])[0][:200]}")


def find_threads() -> ctypes.CDLL | None:
    """Return the OpenMP library whose threads torch computes in; None where it is not GNU's: another one would have threads of its own."""
    try:
        loaded = {line.split(maxsplit=5)[-1].strip() for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if "libgomp" in line}
    except OSError:
        return None                             # a system without such a list
    of_torch = [path for path in sorted(loaded) if "torch" in path]
    return ctypes.CDLL(of_torch[0]) if of_torch else None


def _flags() -> tuple[str, ...]:
    return (*FLAGS, WHOLE_REGISTERS) if "avx512f" in _processor() else FLAGS


def _name() -> str:
    """Return a name that is another one whenever the library would be."""
    return hashlib.sha256("\n".join([*(path.read_text(encoding="utf-8") for path in SOURCES), *_flags(), _processor()]).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _processor() -> str:
    """Return what this processor can do, in the system's words."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return platform.machine() + " ".join(next((line for line in lines if line.startswith(word)), "") for word in ("model name", "flags", "Features"))
