"""Times the whole way to a pruned network in PyTorch: train, then score, cut and fine-tune a few times. Prints one line of JSON.

Training is that of train_step.py with the full objective, scoring that of score.py, surgery that of cut.py.

    python3 end_to_end.py --model vgg16 --precision bfloat16 --steps 20 --iterations 3 --share 0.1
"""

from arguments import count, factor, parser_for
from measurement import Clock, print_measurement
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--steps", type=count, default=20, help="training steps before the first removal and after each")
    parser.add_argument("--iterations", type=count, default=3, help="removals")
    parser.add_argument("--share", type=factor, default=0.1, help="of each convolution's filters, rounded down")
    parser.add_argument("--images", type=count, default=10, help="scoring images of each class")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    import torch
    from networks import build, paper_regularisers
    from scoring import score
    from surgery import cut, keep_best
    from torch.nn import functional as F

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    images = torch.randn(arguments.batch, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(arguments.batch) % 10
    scoring = [own.contiguous(memory_format=torch.channels_last) for own in torch.randn(10, arguments.images, 3, 32, 32)]

    def train(model):
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        for _ in range(arguments.steps):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.precision == "bfloat16"):
                loss = F.cross_entropy(model(images), labels)
            loss = loss + paper_regularisers(model)
            loss.backward()
            optimizer.step()
            loss.item()
        return model

    def whole_way():
        model = train(build(arguments.model, arguments.width).to(memory_format=torch.channels_last))
        for _ in range(arguments.iterations):
            scores = score(model, scoring)
            smaller = cut(model, keep_best(model, scores, arguments.share))
            model = train(smaller.to(memory_format=torch.channels_last))
        return model

    start_bytes = peak_bytes()
    clock = Clock()
    print_measurement(clock, clock.time(whole_way), start_bytes)


if __name__ == "__main__":
    main()
