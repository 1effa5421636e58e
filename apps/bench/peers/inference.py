"""Times PyTorch's predictions at its best CPU setting: channels-last, evaluation mode, no gradients, bfloat16 through autocast.

With --call trace the model is traced and frozen by TorchScript, in float32 also optimised for inference, which has no bfloat16.
Prints one line of JSON.

    python3 inference.py --model vgg16 --precision bfloat16 --batch 1 --call trace
"""

import time

from arguments import factor, parser_for
from measurement import Clock, print_measurement
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--seconds", type=factor, default=4.0, help="how long to measure; a third of it goes before")
    parser.add_argument("--call", choices=["predict", "trace"], default="predict", help="the model itself, or a trace of it")
    return parser.parse_args()


def traced(torch, model, images, precision):
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False):
        trace = torch.jit.trace(model, images, check_trace=False)
        return torch.jit.freeze(trace) if precision == "bfloat16" else torch.jit.optimize_for_inference(trace)


def main():
    arguments = read_arguments()
    # After the arguments, so that a wrong one is told at once.
    import torch
    from networks import build

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = build(arguments.model, arguments.width).to(memory_format=torch.channels_last).eval()
    images = torch.randn(arguments.batch, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    in_bfloat16 = arguments.precision == "bfloat16" and arguments.call == "predict"
    network = model if arguments.call == "predict" else traced(torch, model, images, arguments.precision)

    def predict():
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=in_bfloat16):
            network(images).float().numpy()

    def predict_for(seconds):
        clock = Clock()
        end = time.perf_counter() + seconds
        while not clock.milliseconds or time.perf_counter() < end:
            clock.time(predict)
        return clock

    start_bytes = peak_bytes()
    predict_for(arguments.seconds / 3)
    print_measurement(predict_for(arguments.seconds), model, start_bytes)


if __name__ == "__main__":
    main()
