"""The rule of class-aware pruning in plain PyTorch (arXiv 2312.05875, section III-B), one class after the other."""

import torch
from torch import nn
from torch.nn import functional as F


class Taps:
    """Keeps the output of every convolution, and the gradient that comes back to it, while it is open."""

    def __init__(self, model):
        self.outputs = []
        convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
        self._hooks = [conv.register_forward_hook(self._keep) for conv in convs]

    def _keep(self, _module, _inputs, output):
        # With frozen weights no gradient reaches further than the first output.
        output.retain_grad() if output.requires_grad else output.requires_grad_()
        self.outputs.append(output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.outputs.clear()
        for hook in self._hooks:
            hook.remove()


def score(model, images_of_class):
    """For each convolution the number of classes that each filter matters to; images_of_class: [n, 3, h, w] of each."""
    model.eval()
    with Taps(model) as taps:
        totals = sum_over_classes(model, taps, images_of_class)
    model.zero_grad(set_to_none=True)
    return [total.amax((1, 2)) for total in totals]


def sum_over_classes(model, taps, images_of_class):
    totals = None
    for label, images in enumerate(images_of_class):
        taps.outputs.clear()
        model.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), torch.full((len(images),), label)).backward()
        shares = [((output.detach() * output.grad).abs() > 0).float().mean(0) for output in taps.outputs]
        totals = shares if totals is None else [total + share for total, share in zip(totals, shares)]
    return totals
