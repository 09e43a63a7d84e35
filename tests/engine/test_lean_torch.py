"""torch as a show imports it: without what only its compiler uses, and with it once something asks."""
import json
import subprocess
import sys
from pathlib import Path

import torch

SCRIPT = """
import importlib.util, json, sys
from engine.lean_torch import import_torch
import_torch()
import torch
left_out = "torch._meta_registrations"
found = {"begun without": left_out not in sys.modules, "numbers": torch.randn(3, generator=torch.Generator().manual_seed(7)).tolist()}
with torch.device("meta"):
    found["shape"] = list(torch.nn.Conv2d(2, 3, 3).weight.shape)
import_torch()
importlib.util.find_spec("torch._dynamo")
found["whole for the compiler"] = left_out in sys.modules and torch._meta_registrations is sys.modules[left_out]
found["numbers after"] = torch.randn(3, generator=torch.Generator().manual_seed(7)).tolist()
from torch._subclasses.fake_tensor import FakeTensorMode
with FakeTensorMode():
    found["shape found without numbers"] = list(torch.linalg.qr(torch.empty(3, 4))[0].shape)
print(json.dumps(found))
"""


def test_a_show_imports_torch_without_its_compiler_until_something_asks_for_it():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    numbers = torch.randn(3, generator=torch.Generator().manual_seed(7)).tolist()
    assert json.loads(done.stdout) == {"begun without": True, "numbers": numbers, "shape": [3, 2, 3, 3], "whole for the compiler": True,
                                       "numbers after": numbers, "shape found without numbers": [3, 3]}
