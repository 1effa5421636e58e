"""Times PyTorch's scoring pass: the authors' rule, one class after the other, on images in memory. Prints one line of JSON.

    python3 score.py --model vgg16 --classes 10 --images 10
"""

from arguments import count, parser_for
from measurement import Clock, print_measurement
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--classes", type=count, default=10)
    parser.add_argument("--images", type=count, default=10, help="of each class")
    parser.add_argument("--repeats", type=count, default=3, help="measured passes; one more goes before")
    return parser.parse_args()


def main(frozen=False):
    """frozen: without the gradients of weights, which backward() computes otherwise and nobody reads."""
    arguments = read_arguments()
    import torch
    from networks import build
    from scoring import score

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = build(arguments.model, arguments.width, arguments.classes).to(memory_format=torch.channels_last)
    model.requires_grad_(not frozen)
    images = torch.randn(arguments.classes, arguments.images, 3, 32, 32)
    images = [own.contiguous(memory_format=torch.channels_last) for own in images]
    start_bytes = peak_bytes()
    score(model, images)
    clock = Clock()
    for _ in range(arguments.repeats):
        clock.time(lambda: [own.tolist() for own in score(model, images)])
    print_measurement(clock, model, start_bytes)


if __name__ == "__main__":
    main()
