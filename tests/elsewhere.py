"""A program: what computes, computed on the processor and on a pretended device (tests/pretend.py), for test_elsewhere.py to compare.

    python -m tests.elsewhere FOLDER

Leaves FOLDER/cpu and FOLDER/apple, with the files that each subcommand writes and the frames of each scene, and FOLDER/told.json. A process of its own:
a device has to be known to torch before anything has learned.
"""
import contextlib
import json
import os
import pathlib
import sys
import traceback

import numpy as np
import torch

import engine.device
import run_live
from engine import directions, look
from engine.bending import Bend
from engine.bends import TRANSFORMS
from engine.checkpoints import native
from engine.encoder import Encoder
from engine.instrument import Instrument
from engine.motion import Motion
from engine.rewriting.edit import Edit
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped
from tests.pretend import NAME, pretend, register

HERE = ("--instrument", "net")
MARKS = (*HERE, "--copy", "1:8,8,24,24", "--paste", "2:8,8,24,24", "--seeds", "1")
RULE = (*MARKS, "--layer", "b16.conv1")
COMMANDS = {
    "cluster": ("cluster", *HERE, "--layer", "b16.conv1", "--k", "3", "--samples", "8", "--sheets", "sheets"),
    "names": ("cluster", *HERE, "--name", "b16.conv1:0=eyes"),
    "classifier": ("cluster", *HERE, "--layer", "b8.conv1", "--k", "2", "--samples", "2", "--method", "classifier", "-o", "classes.yaml"),
    "parts": ("parts", *HERE, "--samples", "8"),
    "channels": ("channels", *HERE, "--samples", "1", "--each", "1"),
    "directions": ("directions", *HERE, "--method", "measured", "pca", "closed", "--count", "2", "--samples", "8", "--sheets", "sheets"),
    "ratings": ("directions", *HERE, "--ratings", "ratings.csv"),
    "seeds": ("seeds", "1-2", *HERE, "--size", "32"),
    "bend": ("bend", "bends.yaml", *HERE, "--seeds", "1", "-o", "bent.png"),
    "split": ("blend", "net/generator.safetensors", "tuned.safetensors", "-o", "split.safetensors", "--split", "16"),
    "soup": ("blend", "net/generator.safetensors", "tuned.safetensors", "-o", "soup.safetensors", "--soup"),
    "difference": ("difference", "net/generator.safetensors", "tuned.safetensors", "-o", "difference.safetensors"),
    "latents": ("latents", "seeds.txt", *HERE),
    "instant": ("rewrite", *RULE, "-o", "instant.safetensors"),
    "style": ("rewrite", *MARKS, "--solver", "style", "--polish", "3", "-o", "style.safetensors"),
    "picture": ("rewrite", *MARKS, "--solver", "picture", "--polish", "3", "-o", "picture.safetensors"),
    "finetune": ("rewrite", *RULE, "--solver", "finetune", "--steps", "11", "-o", "finetune.safetensors"),
    "constrained": ("rewrite", *RULE, "--context", "3:0,0,16,16", "--solver", "constrained", "--steps", "11", "-o", "constrained.safetensors"),
    "linear": ("rewrite", *RULE, "--solver", "linear", "--steps", "11", "-o", "linear.safetensors"),
    "erase": ("rewrite", *HERE, "--context", "2:8,8,24,24", "--layer", "b16.conv1", "--erase", "2", "--seeds", "1", "-o", "erase.safetensors"),
    "independence": ("rewrite", *HERE, "--independence", "1", "--layer", "b16.conv1", "-o", "independence.png"),
    "project": ("project", "photo.png", *HERE, "--steps", "3", "--size", "32", "--space", "w+", "--loss", "crisp", "--noise", "--tune", "2", "--tune-steps", "2",
                "--sheets", "none", "-o", "photo.safetensors"),
    "analyse": ("analyse", *HERE, "-o", "found", "--samples", "8"),
    "train-look": ("train-look", *HERE, "--steps", "2", "--samples", "16", "--always", "-o", "trained-look.safetensors"),
    "instruments": ("instruments", "add", "net/generator.safetensors", "--name", "flowers", "--into", "into", "--samples", "8"),
    "check": ("check", *HERE),
    "train-encoder": ("train-encoder", *HERE, "-o", "encoder", "--steps", "1", "--batch", "2", "--layer", "b16.conv1"),
    "train-world": ("train-world", "-o", "world", "--resolution", "32", "--share", "0.0006", "--every", "1"),
}
PICTURE = (np.mgrid[:40, :50][0][..., None] * np.array([3, 2, 1])).astype(np.uint8)


def prepare(folder):
    """Fill a folder with what the commands need."""
    (folder / "net").mkdir(parents=True)
    native.save(folder / "net" / "generator.safetensors", tiny())
    (folder / "net" / "instrument.yaml").write_text("schema: 1\nname: Tiny\ngenerator: generator.safetensors\n")
    tuned, source = tiny(), torch.Generator().manual_seed(1)
    for layer in tuned.layers:
        tuned.weights(layer).add_(0.05 * torch.randn(tuned.weights(layer).shape, generator=source))
    native.save(folder / "tuned.safetensors", tuned)
    (folder / "bends.yaml").write_text("transforms:\n  - {layer: 2, transform: flip-h, params: [], features: all}\n")
    (folder / "seeds.txt").write_text("1,2,3")
    (folder / "ratings.csv").write_text("1,0.2\n2,0.5\n3,0.9\n4,0.1\n5,0.4\n")
    from PIL import Image

    Image.fromarray(PICTURE[:32, :32]).save(folder / "photo.png")


def make_edited(device):
    """Return an instrument with all that can be brought into a picture, on a device."""
    source, g = torch.Generator().manual_seed(1), tiny().to(device)
    edit = Edit("hat", "b16.conv1", torch.randn(1, 8, generator=source), torch.randn(1, 8, 3, 3, generator=source))
    torch.manual_seed(2)
    made = Instrument(g, edits=[edit], encoder=Encoder.fresh(tiny(), "b16.conv1", size=(32, 32)).to(device))
    made.use_directions(made.prepare_directions(directions.find(g, "pca", 2)))
    made.know_look(look.find(g, None, 8))
    made.watch(["layer b16.conv1", "layer b32.conv1 tiles"])
    return made


def list_scenes():
    """Return {name: (device -> instrument, values, bends)}."""
    bends = {f"bend {name}": (lambda device: Instrument(tiny().to(device)), {}, [Bend("a", "b16.conv1", (1, 3), name), Bend("b", "b32.conv1", None, name)])
             for name in TRANSFORMS}
    shapes = {name: (lambda device, name=name: Instrument(shaped(name).to(device)), {}, []) for name in SHAPES if name != "1024 px"}
    plain = {"noise": {"/noise/mode": "random"}, "echo": {"/echo/amount": 0.5}, "smaller": {"/quality/size": 16}, "const": {"/const/radius": 0.5},
             "circle": {"/walk/kind": "circle"}, "field": {"/walk/kind": "field"}, "vector": {"/walk/kind": "vector"}, "wander": {"/walk/kind": "wander"}}
    rich = {"edit": {"/edits/hat/strength": 1.0}, "features": {"/source/mix": 0.7, "/source/into": "features"}, "w": {"/source/mix": 0.7, "/source/into": "w"},
            "direction": {"/directions/pc-1/amount": 2.0}}
    return bends | shapes | {"wide picture": (lambda device: Instrument(tiny().to(device), frame=2.0), {}, [])} | \
        {name: (lambda device: Instrument(tiny().to(device)), values, []) for name, values in plain.items()} | \
        {name: (make_edited, values, []) for name, values in rich.items()}


def draw(make, values, bends, device):
    """Return three frames, and what is watched, one below the other."""
    instrument = make(device)
    scene = instrument.scene(tuple(bends)).set_values({"/walk/speed": 1.0} | values)
    motion, found = Motion().advance(scene, 0.0), []
    for _ in range(3):
        motion = motion.advance(scene, 0.1)
        found.append(instrument.render(scene, motion, PICTURE).pixels.copy())
    return np.concatenate(found + [instrument.look_inside(name) for name in instrument.inside if instrument.look_inside(name) is not None])


def attempt(job):
    """Return "" if job() does what it should, else what went wrong."""
    try:
        return "" if not job() else "status 2"
    except Exception:
        return "".join(traceback.format_exc()[-2000:])


def main(folder):
    torch.set_num_threads(1)
    register()
    engine.device.WITHOUT_DOUBLES |= {NAME}
    told: dict = {}
    for device in ("cpu", NAME):
        home = folder / device
        prepare(home)
        os.chdir(home)
        with pretend() if device == NAME else contextlib.nullcontext():
            for name, command in COMMANDS.items():
                told[f"{device} {name}"] = attempt(lambda command=command: run_live.main([*command, "--device", device]))
            for name, scene in list_scenes().items():
                told[f"{device} {name}"] = attempt(lambda name=name, scene=scene: np.save(home / f"{name}.npy", draw(*scene, torch.device(device))))
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
