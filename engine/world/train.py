"""Train a generator on a drawn world: pairs of z and the picture the world draws for it, progressively from 32 to 1024 px.

First the mapping network learns the world's factors (codes.py), then the synthesis network learns to draw, each stage
adding a block. Seeded and resumable: what a step sees depends on the seed and the step's number only. Writes files into
its folder, prints nothing: a caller's `progress(event)` hears of every figure. Letters: N batch, S size.
"""
import copy
import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from engine.architecture import Architecture
from engine.errors import UserError
from engine.generator import Generator
from engine.training import append_row, make_folder, read_checkpoint, write_checkpoint
from engine.world import losses
from engine.world.codes import layers, regress
from engine.world.forward import Crop, pyramid, speckles
from engine.world.latent import Z_DIM
from engine.world.optimise import Optimiser

CHANNELS = {4: 128, 8: 128, 16: 128, 32: 128, 64: 64, 128: 32, 256: 16, 512: 8, 1024: 4}
NOISE = 0.02                        # strength in every layer: enough for the noise fader to show, too little to spoil
GROUPED = ("b16.conv1", "b32.conv0", "b32.conv1", "b64.conv0", "b64.conv1")
EDGE = 12.0                         # what a pixel at the picture's own edge counts in crops: zero padding greys it otherwise
MAPPING_RATE = 0.1                  # the mapping network's steps against the synthesis network's


@dataclass(frozen=True)
class Stage:
    """resolution: of the top block; 0, in the first stage only: the mapping network alone.

    crop: side of the windows trained on, in top pixels (0: whole pictures), cut at `cut`.

    frozen: blocks up to this one stay as they are. rate: relative size of a step.
    """
    resolution: int
    steps: int
    batch: int = 8
    rate: float = 0.01
    crop: int = 0
    cut: int = 128
    frozen: int = 0
    joint: bool = False             # the mapping network learns too
    crisp: float = 0.0              # how much the strength of edges counts
    memory: float = 0.998           # of the running average


RECIPE = (
    Stage(0, 5000), Stage(32, 1800, rate=0.015), Stage(64, 2400, rate=0.018), Stage(128, 2200, rate=0.012, joint=True),
    Stage(256, 1600, rate=0.008, joint=True, crisp=0.7), Stage(1024, 1400, rate=0.010, crop=320, frozen=128, crisp=2.5),
    Stage(1024, 260, rate=0.008, crop=320, frozen=256, crisp=2.5, memory=0.98),
)
# A relative's way from finished weights of another world: what is coarse and alike stays, so that fading between the two means something.
DESCENT = (
    Stage(64, 1200, rate=0.012), Stage(128, 1400, rate=0.010, joint=True), Stage(256, 1200, rate=0.008, joint=True, crisp=0.7),
    Stage(1024, 900, rate=0.010, crop=320, frozen=128, crisp=2.5), Stage(1024, 200, rate=0.008, crop=320, frozen=256, crisp=2.5, memory=0.98),
)
# What finished weights gain from: the small parts again at 256 px, then the blocks above get used to it.
REFINEMENT = (
    Stage(256, 1200, rate=0.006, joint=True, crisp=0.7, memory=0.995), Stage(1024, 500, rate=0.008, crop=320, frozen=128, crisp=2.5),
    Stage(1024, 150, rate=0.006, crop=320, frozen=256, crisp=2.5, memory=0.98),
)


@dataclass(frozen=True)
class Machine:
    """What trains: a device, on which pictures are drawn as well; compiled: torch.compile fuses the drawing (needs a C++ compiler)."""
    device: str | torch.device = "cpu"
    compiled: bool = False


def architecture(resolution=1024, channels=CHANNELS):
    return Architecture(resolution=resolution, z_dim=Z_DIM, w_dim=128, mapping_layers=4, mapping_width=256,
                        channels={r: c for r, c in channels.items() if r <= resolution})


def fresh(shape, seed):
    """Return a Generator with seeded weights and the fixed noise strength."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(shape)
    for name in generator.layers:
        generator.layer(name).noise_strength.data.fill_(NOISE)
        generator.layer(name).noise_strength.requires_grad_(False)
    return generator


def train(world, folder, recipe=RECIPE, start=None, seed=1, progress=None, machine=Machine(), every=200):
    """Train (or go on training) a generator on a world in `folder`; returns the Generator with averaged weights.

    start: an Architecture, or a trained Generator to go on from, which needs no regression of the mapping network.

    progress({...figures, "step", "of", "stage"}) is called every `every` steps; if it returns True the stage is cut short.
    UserError: the folder holds another run (seed, architecture or stages), or can't be made.
    """
    trained = isinstance(start, Generator)
    mapping_steps, recipe = (recipe[0].steps, recipe[1:]) if recipe[0].resolution == 0 else (0, recipe)
    shape = start.architecture if trained else start or architecture()
    trainer = Trainer(world, Path(folder), shape, seed, machine, [stage.resolution for stage in recipe])
    if not trainer.resume():
        if trained:
            trainer.generator.load_state_dict(start.state_dict())
        else:
            begun = copy.deepcopy(trainer.generator.mapping).cpu()          # learns on the processor, wherever the rest does
            regress(world, begun, mapping_steps, seed, progress=progress)
            trainer.generator.mapping.load_state_dict(begun.state_dict())
        trainer.optimiser.average = {n: p.detach().clone() for n, p in trainer.optimiser.parameters.items()}
        trainer.save()
    while trainer.stage < len(recipe):
        stage = recipe[trainer.stage]
        while trainer.step_in_stage < stage.steps:
            figures = trainer.step(stage)
            if trainer.step_in_stage % every and trainer.step_in_stage < stage.steps:
                continue
            trainer.note(stage, figures)
            trainer.save()
            if progress is not None and progress(trainer.event(stage, figures)):
                break
        trainer.stage, trainer.step_in_stage = trainer.stage + 1, 0
        trainer.save()
    return trainer.make_average()


class Trainer:
    """A generator under way: its optimiser, where in the recipe it is, and the files it keeps."""

    def __init__(self, world, folder, shape, seed, machine=Machine(), stages=()):
        """stages: the recipe's resolutions; a run is not gone on with by another recipe."""
        self.world, self.folder, self.shape, self.seed, self.stages, self.device = world, folder, shape, seed, list(stages), machine.device
        make_folder(folder)
        self.generator = fresh(shape, seed).to(machine.device)
        groups = len(world.groups)
        self.heads = {f"{name}/{kind}": torch.full((groups,), value, device=machine.device).requires_grad_() for name in GROUPED
                      for kind, value in (("scale", 2.0), ("bias", -1.0))}
        trained = {n: p for n, p in self.generator.named_parameters() if p.requires_grad}
        self.optimiser = Optimiser({**trained, **self.heads}, self._scale)
        self.stage = self.step_in_stage = self.steps = 0
        self.view, self.pyramid, self.picture_loss = partial(pictures, world), pyramid, losses.picture_loss
        if machine.compiled:
            self.view = partial(torch.compile(pictures, dynamic=False), world)
            self.pyramid, self.picture_loss = (torch.compile(function, dynamic=False) for function in (pyramid, losses.picture_loss))
        self.running = {}

    def _scale(self, name):
        """Return a weight's own size: 1, but for the mapping network's, which are stored enlarged."""
        if not name.startswith("mapping."):
            return 1.0
        layer = layers(self.generator.mapping)[int(name.split(".")[1][2:])]
        fan = layer.weight.shape[1] ** 0.5 if name.endswith("weight") else 1.0
        return MAPPING_RATE / fan / layer.lr_mul

    def step(self, stage):
        """Take one step of a stage; returns running figures."""
        number = self.seed * 10_000_000 + self.steps
        source = torch.Generator().manual_seed(number)
        z = torch.randn(stage.batch, Z_DIM, generator=source).to(self.device)
        crop = windows(stage, source)
        target, weight, masks = self.view(self.world.uniform(z), *frame(stage, crop, self.device))
        with torch.set_grad_enabled(stage.joint):
            w = self.generator.mapping(z)
        keep = [name for name in GROUPED if not stage.frozen and self.shape.resolution_of(name) <= stage.resolution
                and name in self.generator.layers]
        noise = speckles(self.generator, stage.batch, stage.resolution, number, crop)
        forward = self.pyramid if crop is None else pyramid
        outputs, kept = forward(self.generator, w, stage.resolution, noise, keep, crop, stage.frozen)
        outputs, target, weight = inner(stage, crop, outputs, target, weight)
        loss = self.picture_loss(outputs, target, weight, crisp=stage.crisp)
        groups = sum(losses.group_loss(kept[n], masks, self.heads[f"{n}/scale"], self.heads[f"{n}/bias"]) for n in keep)
        (loss + 0.03 * groups).backward()
        part = self.step_in_stage / stage.steps
        rate = stage.rate * min(1.0, (self.step_in_stage + 1) / 100, max(0.03, 1.9 * (1 - part)))
        self.optimiser.step(rate, min(stage.memory, (self.steps + 1) / (self.steps + 50)))
        self.steps += 1
        self.step_in_stage += 1
        groups = groups.detach() if keep else 0.0
        return self._average(loss, groups, outputs[stage.resolution].detach() - target, rate)

    def _average(self, loss, groups, miss, rate):
        now = {"loss": float(loss.detach()), "groups": float(groups), "l1": float(miss.abs().mean()),
               "mse": float(miss.square().mean())}
        for name, value in now.items():
            self.running[name] = value + 0.98 * (self.running.get(name, value) - value)
        psnr = 10 * torch.log10(torch.tensor(4 / self.running["mse"])).item()
        return {"step": self.step_in_stage, "steps": self.steps, "rate": rate, "psnr": psnr, **self.running}

    def make_average(self):
        """Return a copy of the generator with the running average of its weights."""
        generator = fresh(self.shape, self.seed)
        state = self.generator.state_dict()
        state.update({name: value for name, value in self.optimiser.average.items() if name in state})
        generator.load_state_dict(state)
        with torch.no_grad():
            generator.mapping.w_avg.copy_(generator.mapping(torch.zeros(1, Z_DIM))[0])
        return generator.eval()

    def event(self, stage, figures):
        """Return the event that `progress` is called with: also the stage's place in the recipe, and how many steps it has."""
        return {"stage": stage.resolution, "part": self.stage, "of": stage.steps, "trainer": self, **figures}

    def note(self, stage, figures):
        """Append a line to figures.csv."""
        append_row(self.folder / "figures.csv", {"resolution": stage.resolution, **{k: round(v, 6) for k, v in figures.items()}})

    def save(self):
        """Write checkpoint.safetensors: weights, running average, optimiser."""
        kinds = {"weights": self.generator.state_dict(), "heads": self.heads, "average": self.optimiser.average,
                 "optimiser": self.optimiser.state}
        place = {"stage": self.stage, "step_in_stage": self.step_in_stage, "steps": self.steps, "running": self.running, **self._run()}
        write_checkpoint(self.folder / "checkpoint.safetensors", kinds, place)

    def _run(self):
        """Return the settings that make it this run and no other, as JSON gives them back; their names go into a message."""
        return json.loads(json.dumps({"world": self.world.name, "seed": self.seed, "architecture": asdict(self.shape), "recipe": self.stages}))

    def resume(self):
        """Go on from checkpoint.safetensors if it is there; return whether it was. UserError: it is another run's."""
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return False
        kinds, place = read_checkpoint(path, ("weights", "heads", "average", "optimiser"))
        for name, wanted in self._run().items():
            if place.get(name, wanted) != wanted:
                raise UserError(f"{path}: the run there has another {name} than this one; choose another folder, or the flags it was begun with")
        self.generator.load_state_dict(kinds["weights"])
        for name, value in kinds["heads"].items():
            self.heads[name].data.copy_(value)
        here = {kind: {name: value.to(self.device) for name, value in kinds[kind].items()} for kind in ("average", "optimiser")}
        self.optimiser.average, self.optimiser.state = here["average"], here["optimiser"]
        self.stage, self.step_in_stage, self.steps = place["stage"], place["step_in_stage"], place["steps"]
        self.running = place["running"]
        return True


def pictures(world, u, left, top, pitch, size, pool):
    """Return picture [N, 3, S, S] in -1..1, pixel weights [N, 1, S, S], group masks [N, G, S, S]; drawn `pool` times finer."""
    canvas = world.view(u, left, top, pitch / pool, size * pool, size * pool)
    shown = canvas.visible()
    whole = torch.cat([canvas.picture * 2 - 1, losses.importance(world, shown), losses.group_masks(world, shown)], 1)
    if pool > 1:
        whole = torch.nn.functional.avg_pool2d(whole, pool)
    return whole[:, :3], whole[:, 3:4], whole[:, 4:]


def windows(stage, source):
    """Return this step's crops; None = whole pictures."""
    if not stage.crop:
        return None
    size = stage.crop * stage.cut // stage.resolution
    far = stage.cut - size
    corners = torch.randint(-far // 4, far + far // 4 + 1, (2, stage.batch), generator=source).clamp(0, far).tolist()
    return Crop(stage.cut, size, *map(tuple, corners))      # pushed against the edges often: they are learned like the rest


def frame(stage, crop, device="cpu"):
    """Return left, top [N], pitch, size, pool: what to draw for a stage's crops, on a device."""
    if crop is None:
        corner = torch.full((stage.batch,), -1.0, device=device)
        return corner, corner, 2 / stage.resolution, stage.resolution, 2 if stage.resolution <= 64 else 1
    left, top = (torch.tensor(c, device=device) * (2 / stage.cut) - 1 for c in (crop.left, crop.top))
    return left, top, 2 / stage.resolution, stage.crop, 1


def inner(stage, crop, outputs, target, weight):
    """Leave out what the edge of a crop has spoilt: its outer ring counts nothing. The picture's own edge counts more."""
    if crop is None:
        return outputs, target, weight
    ring = 4 * stage.resolution // stage.cut
    far = stage.cut - crop.size
    good = torch.ones_like(weight)
    for i, (top, left) in enumerate(zip(crop.top, crop.left)):
        rows, columns = good[i], good[i].mT                     # [1, H, W] and, of the same numbers, [1, W, H]
        for lines, start in ((rows, top), (columns, left)):
            lines[:, :4 if start == 0 else ring] *= EDGE if start == 0 else 0.0
            lines[:, -4 if start == far else -ring:] *= EDGE if start == far else 0.0
    outputs = {r: picture for r, picture in outputs.items() if r > max(stage.frozen, stage.cut)}
    return outputs, target, weight * good
