"""Times pruning surgery in PyTorch: a smaller copy of a network, with the first filters of each convolution gone. Prints JSON.

    python3 cut.py --model vgg16 --share 0.5
"""

from arguments import count, factor, parser_for
from measurement import Clock, print_measurement
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--share", type=factor, default=0.5, help="of each convolution's filters, rounded down")
    parser.add_argument("--repeats", type=count, default=10, help="measured cuts; one more goes before")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    import torch
    from networks import build
    from surgery import cut, keep_best
    from torch import nn

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = build(arguments.model, arguments.width).to(memory_format=torch.channels_last)
    scores = [torch.arange(m.out_channels) for m in model.modules() if isinstance(m, nn.Conv2d)]

    def work():
        return cut(model, keep_best(model, scores, arguments.share))

    start_bytes = peak_bytes()
    smaller = work()
    clock = Clock()
    for _ in range(arguments.repeats):
        smaller = clock.time(work)
    print_measurement(clock, smaller, start_bytes)


if __name__ == "__main__":
    main()
