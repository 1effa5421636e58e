"""Times PyTorch's predictions at its best CPU setting: channels-last, evaluation mode, no gradients, bfloat16 through autocast.

Prints one line of JSON.

    python3 inference.py --model vgg16 --precision bfloat16 --batch 1
"""

import json
import time

from arguments import factor, parser_for
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--seconds", type=factor, default=4.0, help="how long to measure; a third of it goes before")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    # After the arguments, so that a wrong one is told at once.
    import torch
    from networks import build

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = build(arguments.model, arguments.width).to(memory_format=torch.channels_last).eval()
    images = torch.randn(arguments.batch, 3, 32, 32).contiguous(memory_format=torch.channels_last)

    def predict_for(seconds):
        milliseconds = []
        end = time.perf_counter() + seconds
        while not milliseconds or time.perf_counter() < end:
            start = time.perf_counter()
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.precision == "bfloat16"):
                model(images).float().numpy()
            milliseconds.append(1000 * (time.perf_counter() - start))
        return milliseconds

    start_bytes = peak_bytes()
    predict_for(arguments.seconds / 3)
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    milliseconds = predict_for(arguments.seconds)
    cpu, wall = time.process_time() - cpu_start, time.perf_counter() - wall_start

    print(json.dumps({
        "engine": f"PyTorch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "milliseconds": milliseconds,
        "busyCpus": cpu / wall,
        "startBytes": start_bytes,
        "peakBytes": peak_bytes(),
    }))


if __name__ == "__main__":
    main()
