"""Times training steps of PyTorch at its best setting: channels-last, bfloat16 through autocast, gradients set to None.

A step is forward, backward, SGD with momentum 0.9 and weight decay 5e-4, and reading the loss. Prints one line of JSON.

    python3 train_step.py --model vgg16 --precision bfloat16 --objective full
"""

from arguments import count, device, parser_for
from measurement import Clock, print_measurement
from memory import peak_bytes


def read_arguments():
    parser = parser_for(__doc__)
    parser.add_argument("--objective", choices=["plain", "full"], default="plain", help="full adds L1 and orthogonality")
    parser.add_argument("--device", type=device, default="cpu", help="cpu, cuda or cuda:<number>")
    parser.add_argument("--warmup", type=count, default=30, help="steps before the measured ones")
    parser.add_argument("--steps", type=count, default=12, help="measured steps")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    # After the arguments, so that a wrong one is told at once.
    import torch
    from torch.nn import functional as F
    from networks import build, paper_regularisers

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    # As on our side: float32 is float32, and no algorithm is searched for.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model = build(arguments.model, arguments.width).to(arguments.device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(arguments.batch, 3, 32, 32).to(arguments.device, memory_format=torch.channels_last)
    labels = (torch.arange(arguments.batch) % 10).to(arguments.device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=arguments.precision == "bfloat16"):
            loss = F.cross_entropy(model(images), labels)
        if arguments.objective == "full":
            loss = loss + paper_regularisers(model)
        loss.backward()
        optimizer.step()
        return loss.item()

    start_bytes = peak_bytes()
    for _ in range(arguments.warmup):
        step()
    clock = Clock()
    for _ in range(arguments.steps):
        loss = clock.time(step)
    print_measurement(clock, model, start_bytes, loss=loss)


if __name__ == "__main__":
    main()
