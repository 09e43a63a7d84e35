"""Small networks with random weights, and the files that other implementations would have written of them.

Written from the published layouts, independently of engine/checkpoints. The modules named in foreign pickles exist only
while one is written; their embedded source raises, so that a reader which runs it is found out.
"""
import argparse
import contextlib
import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch

from engine import checkpoints
from engine.architecture import Architecture
from engine.errors import UserError
from engine.generator import Generator

torch.set_num_threads(1)
TINY = Architecture(resolution=16, z_dim=8, w_dim=8, mapping_layers=3, channels={4: 6, 8: 5, 16: 4})
SOURCE = "raise RuntimeError('embedded source was run')"


def network(architecture=TINY, seed=0) -> Generator:
    """A generator with random weights in which every tensor matters. Affine biases survive - 1 + 1 unrounded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(architecture)
        for name, tensor in generator.state_dict().items():
            if name.endswith("affine.bias"):
                tensor.copy_(1 + torch.round(torch.randn(tensor.shape) * 256) / 1024)
            elif name.endswith("bias"):
                tensor.copy_(torch.randn(tensor.shape) * (10 if name.startswith("mapping.fc") else 0.1))
            elif name.endswith(("noise_strength", "w_avg")):
                tensor.copy_(torch.randn(tensor.shape) * 0.3)
    return generator.eval().requires_grad_(False)


def state_of(generator) -> dict:
    return {name: tensor.clone().contiguous() for name, tensor in generator.state_dict().items()}


def layers(generator) -> list:
    """(our layer name, index in network order, resolution)."""
    return [(name, i, generator.architecture.resolution_of(name)) for i, name in enumerate(generator.layers)]


def rosinality_state(generator, noises=True) -> dict:
    """rosinality's names and shapes."""
    ours, theirs = state_of(generator), OrderedDict()
    kernel = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 16
    for i in range(generator.architecture.mapping_layers):
        for leaf in ("weight", "bias"):
            theirs[f"style.{i + 1}.{leaf}"] = ours[f"mapping.fc{i}.{leaf}"]
    theirs["input.input"] = ours["synthesis.b4.const"][None]
    for name, i, r in layers(generator):
        there = "conv1" if i == 0 else f"convs.{i - 1}"
        conv = {leaf: ours[f"synthesis.{name}.{leaf}"] for leaf in ("weight", "affine.weight", "affine.bias", "bias", "noise_strength")}
        theirs |= {f"{there}.conv.weight": conv["weight"][None], f"{there}.conv.modulation.weight": conv["affine.weight"],
                   f"{there}.conv.modulation.bias": conv["affine.bias"], f"{there}.noise.weight": conv["noise_strength"].view(1),
                   f"{there}.activate.bias": conv["bias"]}
        if i % 2:
            theirs[f"{there}.conv.blur.kernel"] = kernel
        if noises:
            theirs[f"noises.noise_{i}"] = ours[f"synthesis.{name}.noise_const"][None, None]
    for j, r in enumerate(generator.architecture.resolutions):
        there, here = "to_rgb1" if r == 4 else f"to_rgbs.{j - 1}", f"synthesis.b{r}.torgb"
        theirs |= {f"{there}.conv.weight": ours[f"{here}.weight"][None], f"{there}.bias": ours[f"{here}.bias"].view(1, 3, 1, 1),
                   f"{there}.conv.modulation.weight": ours[f"{here}.affine.weight"],
                   f"{there}.conv.modulation.bias": ours[f"{here}.affine.bias"]}
        if r > 4:
            theirs[f"{there}.upsample.kernel"] = kernel
    return theirs


def basicsr_state(generator, fused=True) -> dict:
    """BasicSR's names (stylegan2_arch.py; fused=False: the variant without compiled operators) and shapes."""
    def name(theirs):
        if theirs.startswith("noises."):
            return theirs.replace("noise_", "noise")
        head, dot, rest = theirs.partition(".")
        if head == "convs":
            number, _, rest = rest.partition(".")
            head = f"convs.{number}"
        if head == "to_rgbs":
            number, _, rest = rest.partition(".")
            head = f"to_rgbs.{number}"
        if head == "style":
            return f"style_mlp.{rest}"
        if head == "input":
            return "constant_input.weight"
        if head.startswith("conv"):
            rest = {"noise.weight": "weight", "activate.bias": "activate.bias" if fused else "bias",
                    "conv.blur.kernel": "modulated_conv.smooth.kernel"}.get(rest, rest.replace("conv.", "modulated_conv.", 1))
            return f"style_{head}.{rest}"
        return f"{head}.{rest.replace('conv.', 'modulated_conv.', 1)}"

    return OrderedDict((name(theirs), tensor.view(1, -1, 1, 1) if not fused and theirs.endswith("activate.bias") else tensor)
                       for theirs, tensor in rosinality_state(generator).items())


def mmgeneration_state(generator) -> dict:
    """mmgeneration's names: equalised weights are called weight_orig, biases lie outside the linear layers."""
    changed = OrderedDict()
    for theirs, tensor in rosinality_state(generator).items():
        if theirs.startswith("style."):
            number, leaf = theirs.split(".")[1:]
            theirs = f"style_mapping.{number}.{'linear.weight_orig' if leaf == 'weight' else 'bias'}"
        for old, new in (("input.input", "constant_input.input"), ("noises.noise_", "injected_noise_"), ("noise.weight", "noise_injector.weight"),
                         ("modulation.weight", "style_modulation.linear.weight_orig"), ("modulation.bias", "style_modulation.bias")):
            if theirs.endswith(old) or theirs.startswith(old) and old.startswith("noises"):
                theirs = theirs.replace(old, new)
        changed[theirs + "_orig" if theirs.endswith(".conv.weight") else theirs] = tensor
    return changed


def genforce_state(generator) -> dict:
    """GenForce's names and numbers: kernels of upsampling layers as TensorFlow has them, style biases without their 1."""
    ours, theirs = state_of(generator), OrderedDict()
    kernel = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 16
    for i in range(generator.architecture.mapping_layers):
        for leaf in ("weight", "bias"):
            theirs[f"mapping.dense{i}.{leaf}"] = ours[f"mapping.fc{i}.{leaf}"]
    theirs["truncation.w_avg"] = ours["mapping.w_avg"]
    theirs["synthesis.early_layer.const"] = ours["synthesis.b4.const"][None]
    theirs["synthesis.upsample.kernel"] = kernel[None, None]
    for name, i, r in layers(generator):
        here, there = f"synthesis.{name}", f"synthesis.layer{i}"
        weight = ours[f"{here}.weight"]
        theirs |= {f"{there}.weight": torch.from_numpy(weight.numpy()[:, :, ::-1, ::-1].copy()) if i % 2 else weight, f"{there}.bias": ours[f"{here}.bias"],
                   f"{there}.style.weight": ours[f"{here}.affine.weight"], f"{there}.style.bias": ours[f"{here}.affine.bias"] - 1,
                   f"{there}.noise_strength": ours[f"{here}.noise_strength"], f"{there}.noise": ours[f"{here}.noise_const"][None, None]}
        if i % 2:
            theirs[f"{there}.filter.kernel"] = kernel[None, None]
    for j, r in enumerate(generator.architecture.resolutions):
        here, there = f"synthesis.b{r}.torgb", f"synthesis.output{j}"
        theirs |= {f"{there}.weight": ours[f"{here}.weight"], f"{there}.bias": ours[f"{here}.bias"],
                   f"{there}.style.weight": ours[f"{here}.affine.weight"], f"{there}.style.bias": ours[f"{here}.affine.bias"] - 1}
    return theirs


def write_rosinality(path, generator, training=False, noises=True, centre=True, legacy=False):
    state = rosinality_state(generator, noises)
    content = {"g_ema": state}
    if training:
        decoy = OrderedDict((name, tensor + 1) for name, tensor in state.items())
        moments = {"state": {0: {"step": 3, "exp_avg": torch.zeros(4)}}, "param_groups": [{"lr": 0.002, "params": [0]}]}
        content = {"g": decoy, "d": {"convs.0.0.weight": torch.zeros(3)}, "g_ema": state, "g_optim": moments, "d_optim": moments,
                   "args": argparse.Namespace(size=generator.resolution, arch="stylegan2", n_mlp=3), "ada_aug_p": 0.25}
    elif centre:
        content["latent_avg"] = generator.w_avg.clone()
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@contextlib.contextmanager
def modules(**members):
    """Modules that exist for the moment: {"a.b": {name: object}}, dots written as double underscores."""
    made = {}
    for dotted, content in members.items():
        dotted = dotted.replace("__", ".")
        for end in range(1, dotted.count(".") + 2):
            name = ".".join(dotted.split(".")[:end])
            made.setdefault(name, types.ModuleType(name))
        for name, thing in content.items():
            thing.__module__, thing.__qualname__ = dotted, name
            setattr(made[dotted], name, thing)
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


class Persistent:
    """Pickles as NVIDIA's modules do."""
    rebuild, easy = None, None

    def __init__(self, class_name, **state):
        self.class_name, self.content = class_name, state

    def __reduce__(self):
        content = dict(training=False, _parameters=OrderedDict(), _buffers=OrderedDict(), _modules=OrderedDict(),
                       _non_persistent_buffers_set=set(), _backward_hooks=OrderedDict(), _init_args=(), _init_kwargs=Persistent.easy())
        return Persistent.rebuild, (Persistent.easy(type="class", version=6, module_src=SOURCE, class_name=self.class_name,
                                                    state=content | self.content),)


def persistent(state: dict, a: Architecture, path="") -> Persistent:
    """The tree of modules whose dotted names the state's keys are."""
    here = [name[len(path):] for name in state if name.startswith(path)]
    leaves = [name for name in here if "." not in name]
    buffers = [name for name in leaves if name in ("w_avg", "noise_const", "resample_filter")]
    content = {"_buffers": OrderedDict((name, state[path + name]) for name in buffers),
               "_parameters": OrderedDict((name, torch.nn.Parameter(state[path + name])) for name in leaves if name not in buffers),
               "_modules": OrderedDict((name, persistent(state, a, f"{path}{name}."))
                                       for name in dict.fromkeys(name.split(".")[0] for name in here if "." in name))}
    last = path.rstrip(".").split(".")[-1]
    if last.startswith(("conv", "torgb")):
        content |= {"conv_clamp": a.conv_clamp, "activation": "lrelu", "act_gain": np.sqrt(2), "use_noise": a.noise}
    elif last.startswith("fc"):
        content |= {"bias_gain": 0.01, "weight_gain": np.float64(0.01) / np.sqrt(state[f"{path}weight"].shape[1])}
    elif last.startswith("b") and last[1:].isdecimal():
        content |= {"architecture": a.kind, "resolution": int(last[1:])}
    return Persistent("Generator" if not path else "SynthesisLayer", **content)


def nvlabs_state(generator) -> dict:
    """NVIDIA's names: ours, and the resampling kernels."""
    state = state_of(generator)
    kernel = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64
    return state | {f"synthesis.{name}.resample_filter": kernel for name in generator.layers}


def write_nvlabs(path, generator, protocol=4, keys=("training_set_kwargs", "G", "D", "G_ema", "augment_pipe"), extra=None, judge=None):
    """Both repositories' snapshots; G differs from G_ema on purpose where there are both. judge: the state of a discriminator."""
    def rebuild(meta):
        raise AssertionError("the stock reader was called")

    easy = type("EasyDict", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})
    with modules(torch_utils__persistence={"_reconstruct_persistent_obj": rebuild}, dnnlib__util={"EasyDict": easy}):
        Persistent.rebuild, Persistent.easy = staticmethod(rebuild), easy
        state, a = nvlabs_state(generator) | (extra or {}), generator.architecture
        other = {name: tensor + 1 for name, tensor in state.items() if "resample" not in name}
        parts = {"training_set_kwargs": easy(path="x.zip"), "G": persistent(other if "G_ema" in keys else state, a),
                 "D": Persistent("Discriminator") if judge is None else persistent(judge, a), "G_ema": persistent(state, a), "augment_pipe": None}
        path.write_bytes(pickle.dumps({key: parts[key] for key in keys}, protocol))
    return path


def tensorflow_variables(generator) -> dict:
    """{path: array}, components by key; all in TensorFlow's layouts."""
    ours, a = {name: t.numpy() for name, t in state_of(generator).items()}, generator.architecture
    theirs = {"lod": np.float32(0), "dlatent_avg": ours["mapping.w_avg"]}
    for i in range(a.mapping_layers):
        theirs[f"mapping/Dense{i}/weight"] = ours[f"mapping.fc{i}.weight"].T
        theirs[f"mapping/Dense{i}/bias"] = ours[f"mapping.fc{i}.bias"]
    if a.c_dim and a.conditioning == "concat":
        theirs["mapping/LabelConcat/weight"] = ours["mapping.label"]
    elif a.c_dim:
        theirs |= {"mapping/LabelEmbed/weight": ours["mapping.embed.weight"].T, "mapping/LabelEmbed/bias": ours["mapping.embed.bias"]}
    theirs["synthesis/4x4/Const/const"] = ours["synthesis.b4.const"][None]
    for r in a.resolutions:
        names = {"conv0": "Conv0_up", "conv1": "Conv1" if r > 4 else "Conv", "torgb": "ToRGB", "skip": "Skip"}
        for part, name in names.items():
            if f"synthesis.b{r}.{part}.weight" not in ours:
                continue
            here, there = f"synthesis.b{r}.{part}", f"synthesis/{r}x{r}/{name}"
            weight = ours[f"{here}.weight"]
            weight = weight[:, :, ::-1, ::-1] if part == "conv0" else weight
            theirs[f"{there}/weight"] = weight.transpose(2, 3, 1, 0)
            if part != "skip":
                theirs |= {f"{there}/mod_weight": ours[f"{here}.affine.weight"].T, f"{there}/bias": ours[f"{here}.bias"],
                           f"{there}/mod_bias": ours[f"{here}.affine.bias"] - np.float32(1)}
            if f"{here}.noise_strength" in ours:
                theirs[f"{there}/noise_strength"] = np.float32(ours[f"{here}.noise_strength"])
                n = int(np.log2(r)) * 2 - (5 if part == "conv0" else 4)
                theirs[f"synthesis/noise{n}"] = ours[f"{here}.noise_const"][None, None]
    return theirs


def write_tensorflow(path, generator, version=4, single=False, protocol=4, variables=None, **settings):
    """(G, D, Gs), or Gs alone; G differs on purpose."""
    easy = type("EasyDict", (dict,), {})
    cls = type("Network", (), {"__getstate__": lambda self: self.state, "__init__": lambda self, state: setattr(self, "state", state)})
    found = tensorflow_variables(generator) if variables is None else variables
    a = generator.architecture
    settings = {"resolution": a.resolution, "architecture": a.kind, "conv_clamp": a.conv_clamp, "resample_kernel": [1, 3, 3, 1]} | settings

    def network_of(found, prefix="", components=()):
        own = [(name[len(prefix):], np.ascontiguousarray(value) if np.ndim(value) else value) for name, value in found.items()
               if name.startswith(prefix) and (prefix or "/" not in name)]
        made = OrderedDict((key, network_of(found, f"{key}/")) for key in components)
        kwargs = easy(settings) if version == 5 else dict(settings)
        return cls({"version": version, "name": "G", "static_kwargs": kwargs, "components": made if version == 5 else dict(made),
                    "build_module_src": SOURCE, "build_func_name": "G_main", "variables": own})

    with modules(dnnlib__tflib__network={"Network": cls}, dnnlib__util={"EasyDict": easy}):
        whole = network_of(found, components=("mapping", "synthesis"))
        other = network_of({name: value + np.float32(1) for name, value in found.items()}, components=("mapping", "synthesis"))
        path.write_bytes(pickle.dumps(whole if single else (other, other, whole), protocol))
    return path


def refused(path, *words):
    """The one line `load` answers with; it names the file and holds the words."""
    with pytest.raises(UserError) as caught:
        checkpoints.load(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line and len(line) < 400 + len(str(path)), line
    assert all(word in line for word in words), line
    return line
