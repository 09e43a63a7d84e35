"""Reading YAML that people hand us: data only, of bounded size, with errors in one line."""
import reprlib

import yaml

from engine.errors import UserError

LARGEST = 4 * 2 ** 20               # bytes; 3 x 10^4 of the published clusters' entries are 1 MB
DEEPEST = 32                        # levels; the fast parser crashes on many
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(path):
    """A YAML file's content; tags that would make Python objects are refused, and so is a key there twice."""
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise UserError(f"{path}: larger than {LARGEST // 2 ** 20} MB; no file of bends or clusters is")
        text = raw.decode("utf-8")
        if _depth(text) > DEEPEST:
            raise UserError(f"{path}: nested deeper than {DEEPEST} levels; no file of bends or clusters is")
        return yaml.load(text, _Strict)
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not YAML that can be read: {' '.join(str(error).split())[:300]}") from None


def _depth(text) -> int:
    """How deep it nests, or more than DEEPEST."""
    depth = deepest = 0
    for event in yaml.parse(text, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest


def shown(value) -> str:
    """A value for an error message: short, whatever it is."""
    return " ".join(reprlib.repr(value).split())


class _Strict(LOADER):               # type: ignore[misc, valid-type]  # which of the two it is depends on how yaml was built
    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
            seen.add((key.tag, key.value if isinstance(key, yaml.ScalarNode) else id(key)))
        return super().construct_mapping(node, deep)
