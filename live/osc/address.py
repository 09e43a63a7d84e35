"""The address rules of OSC: wildcards, queries, the 0..1 twin of every address. Pure functions; knows no sockets.

Source: the Open Sound Control 1.0 specification, "OSC Message Dispatching and Pattern Matching"; `//` is from 1.1.
"""
import re
from functools import lru_cache

NORMALIZED = "/n"                   # /n/truncation is /truncation on a scale of 0..1
PLAYED = "/played"                  # /played/truncation is what is drawn: /truncation as its modulators leave it
MOST_SPELLINGS = 64                 # that {a,b}{c,d}... may stand for in one part; more match nothing
LONGEST = 1024                      # letters and wildcards of all spellings of a part together; a longer one matches nothing

_WILD = re.compile(r"[?*\[{]|//")
_TOKEN = re.compile(r"\[(!?)([^\]]+)\]|(\?)|(\*)|(.)", re.DOTALL)
_BRACES = re.compile(r"([^{]*)\{([^{}]*)\}(.*)", re.DOTALL)
_NEVER = re.compile(r"(?!)")


def is_pattern(address: str) -> bool:
    """Return whether an address has wildcards in it."""
    return _WILD.search(address) is not None


def find_matches(pattern: str, addresses) -> list[str]:
    """Return the addresses a pattern (or a plain address) means, in their own order.

    Upper and lower case are told apart only if that finds anything. `addresses` is a collection that is not changed
    in place; what was found in it is remembered.
    """
    known = _find_cache(addresses)
    if pattern not in known:
        if len(known) >= 1024:
            known.clear()
        known[pattern] = _search(pattern, addresses) if is_pattern(pattern) else _find_plain(pattern, addresses)
    return list(known[pattern])


def find_spelled(address: str, addresses) -> list[str]:
    """Return the addresses that a pattern matches, among addresses and their 0..1 twins alike: "/n/trunc*" -> ["/n/truncation"]."""
    if address.startswith(NORMALIZED + "/"):
        return [NORMALIZED + found for found in find_matches(address[len(NORMALIZED):], addresses)]
    return find_matches(address, addresses)


def find_asked(address: str, addresses) -> list[str]:
    """Return the addresses that a query is about: those of find_spelled(), and the read-only ones below /played."""
    if address.startswith(PLAYED + "/"):
        return [PLAYED + found for found in find_matches(address[len(PLAYED):], addresses)]
    return find_spelled(address, addresses) or ([] if is_pattern(address) else [address])


def read_value(scene, address: str, played=None):
    """Return the answer to a query: the plain value, 0..1 below /n; None where there is none. played() -> the scene with modulators applied, for addresses
    below /played.

    played() -> the scene as its modulators leave it, for what is asked below /played.
    """
    if address in scene.parameters:
        return scene[address]
    if address.startswith(PLAYED + "/"):
        shown, address = (played or (lambda: scene))(), address.removeprefix(PLAYED)
        return shown[address] if address in shown.parameters else None
    plain = address.removeprefix(NORMALIZED)
    if plain == address or plain not in scene.parameters or scene.parameters[plain].size:
        return None
    return scene.parameters[plain].normalized(scene[plain])


_caches: dict = {}                  # id of a collection -> (the collection, its length, {pattern: found}, {in small letters: addresses})


def _find_cache(addresses) -> dict:
    """Return the patterns looked up so far in this collection of addresses. Four collections are kept: scenes with new bends bring new ones."""
    entry = _caches.get(id(addresses))
    if entry is None or entry[0] is not addresses or entry[1] != len(addresses):
        for oldest in list(_caches)[:-3]:
            _caches.pop(oldest, None)
        small: dict = {}
        for address in addresses:
            small.setdefault(address.casefold(), []).append(address)
        entry = _caches[id(addresses)] = (addresses, len(addresses), {}, small)
    return entry[2]


def _find_plain(address, addresses) -> list[str]:
    """Return the addresses that a plain address means; a stranger's thousand new ones are looked up without a search."""
    return [address] if address in addresses else _caches[id(addresses)][3].get(address.casefold(), [])


def _search(pattern, addresses):
    wanted = _split(pattern)
    return ([a for a in addresses if _fits(wanted, a.split("/")[1:], 0)]
            or [a for a in addresses if _fits(wanted, a.split("/")[1:], re.IGNORECASE)])


def _split(pattern):
    """Return the parts between slashes; None stands for `//`, any number of levels."""
    parts = [part or None for part in pattern[1:].split("/")]
    if pattern.endswith("/"):
        parts.pop()
    return [part for i, part in enumerate(parts) if part or i == 0 or parts[i - 1]]


def _fits(wanted, parts, flags):
    if not wanted:
        return not parts
    if wanted[0] is None:
        return any(_fits(wanted[1:], parts[i:], flags) for i in range(len(parts) + 1))
    return bool(parts) and _compile(wanted[0], flags).fullmatch(parts[0]) is not None and _fits(wanted[1:], parts[1:], flags)


@lru_cache(512)
def _compile(part, flags):
    """Return one part of a pattern as a regular expression that takes time linear in the text, whatever the pattern."""
    spellings = _spell_out(re.sub(r"\*{2,}", "*", part))         # many in a row mean what one does
    if sum(map(len, spellings)) > LONGEST:
        return _NEVER
    return re.compile("|".join(map(_make_expression, spellings)), flags | re.DOTALL) if spellings else _NEVER


def _spell_out(part):
    """Return every spelling of {a,b}: "x{a,b}" -> ["xa", "xb"] in some order. Empty if there are too many."""
    done, left = [], [part]
    while left:
        spelling = left.pop()
        split = _BRACES.fullmatch(spelling)
        if split is None:
            done.append(spelling)
            continue
        before, choices, after = split.groups()
        left += [before + choice + after for choice in choices.split(",")]
        if len(done) + len(left) > MOST_SPELLINGS:
            return []
    return done


def _make_expression(spelling):
    """Return the expression of a pattern without braces. After each `*` but the last, the first place where the rest fits is the right one."""
    runs = [""]
    for negated, letters, any_one, any_many, literal in _TOKEN.findall(spelling):
        if any_many:
            runs.append("")
        elif any_one:
            runs[-1] += "."
        elif letters:
            runs[-1] += _make_letters(negated, letters)
        else:
            runs[-1] += re.escape(literal)
    if len(runs) == 1:
        return runs[0]
    first, *middle, last = runs
    return first + "".join(f"(?>.*?{run})" for run in middle) + ".*" + last


def _make_letters(negated, letters):
    """Return [a-z] or [!a-z] as an expression; a range the wrong way round holds nothing."""
    body, i = "", 0
    while i < len(letters):
        if letters[i + 1:i + 2] == "-" and i + 2 < len(letters):
            low, high = letters[i], letters[i + 2]
            body += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            i += 3
        else:
            body += re.escape(letters[i])
            i += 1
    if not body:
        return "." if negated else "(?!)"
    return f"[{'^' if negated else ''}{body}]"
