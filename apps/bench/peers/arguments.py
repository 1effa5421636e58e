"""What both programs take on their command lines. Imports no torch, so that a wrong argument is told at once."""

import argparse
import math
import re

MODELS = ["vgg16", "resnet20", "resnet56"]
PRECISIONS = ["float32", "bfloat16"]


def count(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, but got {text}")
    return value


def factor(text):
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"expected a positive number, but got {text}")
    return value


def device(text):
    if text != "cpu" and not re.fullmatch(r"cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"expected cpu, cuda or cuda:<number>, but got {text}")
    return text


def parser_for(description):
    """The options of every program: what runs, at which width, on how many threads."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--width", type=factor, default=1.0, help="factor on the width of every layer but the last")
    parser.add_argument("--batch", type=count, default=128)
    parser.add_argument("--threads", type=count, default=2)
    return parser
