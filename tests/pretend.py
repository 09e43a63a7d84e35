"""Apple's GPU, pretended: tensors that say they are elsewhere, computed by the processor; what Apple's refuses is refused.

Refused: float64, numbers of two devices in one operation (0-d ones of the processor and indices may be), a random generator of another device.
So a program that runs here, and gives what it gives on the processor, would not have failed there for one of these reasons.
"""
import contextlib
import functools
from unittest import mock

import torch
from torch.utils import _pytree as pytree
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

NAME = "apple"
NO_DOUBLES = "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. Please use float32 instead."
ATEN = torch.ops.aten
MOVES = {ATEN._to_copy.default, ATEN.copy_.default, ATEN.set_.source_Tensor}
INDEXED = {ATEN.index.Tensor, ATEN.index_put_.default, ATEN.index_put.default, ATEN._index_put_impl_.default, ATEN._unsafe_index.Tensor}
SAME_CLASS = {ATEN.is_same_size.default}


class There(torch.Tensor):
    """A tensor on the pretended device. inner: the same numbers, on the processor."""

    @staticmethod
    def __new__(cls, inner):
        if inner.dtype in (torch.float64, torch.complex128):
            raise TypeError(NO_DOUBLES)
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
                                                   layout=inner.layout, device=torch.device(NAME, 0), requires_grad=False)

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"There({self.inner!r})"

    @property
    def data(self):
        return There(self.inner.data)

    @data.setter
    def data(self, given):
        self.inner = given.inner
        torch.Tensor.data.__set__(self, given)

    def tolist(self):
        return self.inner.tolist()

    def __deepcopy__(self, known):
        made = self.detach().clone().requires_grad_(self.requires_grad)
        if isinstance(self, torch.nn.Parameter):
            made = torch.nn.Parameter(made, self.requires_grad)
        return known.setdefault(id(self), made)

    def __tensor_flatten__(self):
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner, meta, size, stride):
        return There(inner["inner"])

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})


def _run(operation, args, kwargs):
    """Return what an operation gives, computed by the processor; on the pretended device where its tensors are, or where it is asked for."""
    flat = pytree.tree_leaves((args, kwargs))
    tensors = [one for one in flat if isinstance(one, torch.Tensor)]
    here = [one for one in tensors if not isinstance(one, There)]
    asked = next((one for one in flat if isinstance(one, torch.device)), None)
    moved = operation in MOVES
    there = asked.type == NAME if asked is not None else any(isinstance(one, There) for one in tensors)
    if there and here and not moved and any(one.ndim for one in here) and operation not in INDEXED:
        raise RuntimeError(f"{operation}: expected all tensors to be on the same device, but found at least two devices, apple:0 and cpu!")
    if operation is ATEN.copy_.default:
        there = isinstance(args[0], There)
    plain = lambda one: one.inner if isinstance(one, There) else torch.device("cpu") if isinstance(one, torch.device) and one.type == NAME else one
    given, named = pytree.tree_map(plain, (args, kwargs))
    made = operation(*given, **named)
    if operation is ATEN._to_copy.default and asked is not None and made is given[0]:
        made = made.clone()
    if not there:
        return made
    out = pytree.tree_map(lambda one: There(one) if isinstance(one, torch.Tensor) else one, made)
    return return_and_correct_aliasing(operation, args, kwargs, out)


class _Pretend(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})


class _Generator(torch.Generator):
    """A random generator that may be asked for on the pretended device; there it is the processor's."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls, "cpu" if torch.device(device).type == NAME else device)


@functools.cache
def register():
    """Make the device's name known to torch, for the rest of this process."""
    backend_registration._setup_privateuseone_for_python_backend(NAME)


@contextlib.contextmanager
def pretend():
    """Have the pretended device, by the name of apple, in this thread."""
    register()
    before = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)               # so that torch.tensor(..., device=) goes by way of the mode
    with mock.patch("torch.Generator", _Generator), _Pretend():
        try:
            yield torch.device(NAME)
        finally:
            torch._C._set_only_lift_cpu_tensors(before)
