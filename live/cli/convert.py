"""Convert a checkpoint of any format to our own safetensors.

    python run_live.py convert network.pkl -o network.safetensors
"""
import sys


def arguments(parser):
    parser.add_argument("source", help="rosinality .pt, NVIDIA .pkl (PyTorch or TensorFlow), or our .safetensors")
    parser.add_argument("-o", "--output", required=True, help="the .safetensors to write")
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float32", help="how weights are stored")


def run(options):
    from engine import checkpoints

    summary = checkpoints.convert(options.source, options.output, options.dtype)
    sys.stdout.write(f"{summary}\nwritten to {options.output}\n")
