"""A flat state dict and an Architecture -> a Generator, checked and complete. Must not know any file format.

A state dict here has the names of Generator.state_dict(); only noise maps and the truncation centre may be missing.
"""
import torch

from engine.architecture import Architecture
from engine.errors import UserError
from engine.generator import Generator

MAX_ELEMENTS = 1 << 29           # 2 GiB of float32; the largest public networks have a quarter of that
SEED = 0                         # of what a file leaves out
BATCH = 256
SAMPLES = 4096                   # whose mean is the truncation centre, where a file has none


@torch.inference_mode(False)                                        # a network made inside it could never be changed
def build(state: dict, architecture: Architecture, device="cpu") -> Generator:
    """Return the network, in eval mode, without gradients, float32, 4-D weights in channels-last order."""
    with torch.device("meta"):                                  # shapes are compared before anything is allocated
        generator = Generator(architecture)
    expected = {name: tuple(tensor.shape) for name, tensor in generator.state_dict().items()}
    check(state, expected)
    full = {name: prepare(name, tensor) for name, tensor in state.items()}
    for index, layer in enumerate(architecture.layers):
        name = f"synthesis.{layer}.noise_const"
        if name in expected and name not in full:
            full[name] = torch.randn(expected[name], generator=torch.Generator().manual_seed(SEED + index))
    full.setdefault("mapping.w_avg", torch.zeros(architecture.w_dim))
    generator.load_state_dict(full, assign=True)
    generator.eval().requires_grad_(False)
    if "mapping.w_avg" not in state:
        generator.mapping.w_avg.copy_(estimate_centre(generator))
    return generator.to(device)


def check_size(state: dict, size: int):
    """Raise UserError where the tensors are far larger than the file of `size` bytes: the same numbers over and over."""
    held = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if held > 4 * size + (1 << 20):
        raise UserError("refused: its tensors are far larger than the file they are in")


def is_optional(name: str) -> bool:
    """Return whether a file may leave the tensor out."""
    return name == "mapping.w_avg" or name.endswith(".noise_const")


def describe_left_out(state: dict, architecture: Architecture) -> list[str]:
    """Return what `build` makes up, in words."""
    notes = []
    if "mapping.w_avg" not in state:
        notes.append(f"no truncation centre in the file: the mean of {SAMPLES} seeded samples stands in")
    if architecture.noise and not all(f"synthesis.{layer}.noise_const" in state for layer in architecture.layers):
        notes.append("noise maps missing in the file: seeded ones stand in")
    return notes


def check(state: dict, expected: dict) -> None:
    """Raise UserError for the first tensor that is missing, unknown, of another shape or beyond the limit."""
    for name, shape in expected.items():
        if name not in state and not is_optional(name):
            raise UserError(f"{name} is missing: expected a tensor {list(shape)}; the file is incomplete")
    for name, tensor in state.items():
        if name not in expected:
            raise UserError(f"{name}: no such tensor in a StyleGAN2 generator of this shape; "
                            "the file is of another network, or of a fork that isn't supported")
        if tuple(tensor.shape) != expected[name]:
            raise UserError(f"{name}: expected {list(expected[name])}, got {list(tensor.shape)}")
    if sum(tensor.numel() for tensor in state.values()) > MAX_ELEMENTS:
        raise UserError(f"more than {MAX_ELEMENTS} numbers: larger than any StyleGAN2")


def prepare(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return a float32 copy that does not depend on the file, 4-D ones channels-last. UserError: it isn't all finite."""
    if not tensor.is_floating_point() or tensor.layout != torch.strided:
        raise UserError(f"{name}: expected floating-point numbers, got {tensor.dtype}")
    copy = tensor.detach().to("cpu", torch.float32, copy=True)
    copy = copy.contiguous(memory_format=torch.channels_last if tensor.ndim == 4 else torch.contiguous_format)
    if not all(map(torch.isfinite, torch.aminmax(copy))):          # NaN is both; far faster than looking at each
        raise UserError(f"{name} holds NaN or infinite numbers: the training run that wrote the file had collapsed; "
                        "take an earlier checkpoint of it")
    return copy


def estimate_centre(generator: Generator) -> torch.Tensor:
    """Return the mean w [w_dim] of seeded samples, over all labels alike: the same at every load."""
    z = torch.randn(SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(SEED))
    if not generator.c_dim:
        return generator.mapping(z).mean(0)
    classes = torch.arange(SAMPLES) % generator.c_dim
    label = lambda some: torch.zeros(len(some), generator.c_dim).scatter_(1, some[:, None], 1.0)        # no more of these at once than needed
    return torch.cat([generator.mapping(z[at:at + BATCH], label(classes[at:at + BATCH])) for at in range(0, SAMPLES, BATCH)]).mean(0)
