"""Keep what a fine-tune changed as an edit of the network it was tuned from: a fader of some hundred kB in the place of a second network.

    python run_live.py difference base.safetensors tuned.pkl -o my_network/edits/tuned.safetensors
    python run_live.py difference base.safetensors tuned.pkl -o my_network/edits/tuned.safetensors --rank 16

Each convolution's change is kept with as few directions as hold --energy of it. One line of JSON says what that costs: how near to the fine-tune's
pictures the base's come, in dB, before, with the edit, and with all of its convolutions.
"""
from pathlib import Path

from engine.errors import UserError
from live.cli import add_device, write_json_line
from live.files.names import check_name
from live.files.paths import prepare_file
from live.instrument import folder as instruments


def arguments(parser):
    parser.add_argument("base", metavar="DIR|CHECKPOINT", help="the network that was tuned")
    parser.add_argument("tuned", metavar="DIR|CHECKPOINT", help="what came of it")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.safetensors", help="the edit to write; its name is the fader's")
    add_device(parser)
    parser.add_argument("--rank", type=int, metavar="N", help="directions of each layer; default: as --energy asks")
    parser.add_argument("--energy", type=float, default=0.9, help="how much of each layer's change is kept (0.9), in 64 directions at most")


def run(options):
    from engine import checkpoints, device, mixing, rewriting
    from engine.rewriting.difference import find_difference, measure_cost

    if options.rank is not None and options.rank < 1:
        raise UserError(f"--rank {options.rank}: expected 1 or more")
    if not 0 < options.energy <= 1:
        raise UserError(f"--energy {options.energy:g}: expected above 0, up to 1")
    name = check_name(Path(options.output).stem, "edit")
    prepare_file(options.output, "-o")
    chosen = device.choose(options.device)
    base, tuned = (checkpoints.load(instruments.find(where).generator, chosen) for where in (options.base, options.tuned))
    edit = find_difference(base, tuned, name, options.rank, options.energy)
    if not mixing.are_relatives(base, tuned):
        write_json_line({"stage": "warning", "text": f"{options.tuned}: a stranger to {options.base}, by all signs: expect mud"})
    cost = measure_cost(base, tuned, edit)
    rewriting.save(options.output, edit)
    write_json_line({"stage": "written", "file": str(options.output), "kB": Path(options.output).stat().st_size // 1000, "ranks": edit.recipe["ranks"],
                     "dB": {"base": round(cost.before, 1), "edit": round(cost.kept, 1), "all convolutions": round(cost.whole, 1)}})
