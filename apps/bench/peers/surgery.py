"""Takes filters out of the networks of networks.py, in plain PyTorch: smaller modules with the weights that stay."""

import copy

import torch
from torch import nn

from networks import BasicBlock


def cut_conv(conv, inputs, outputs):
    smaller = nn.Conv2d(len(inputs), len(outputs), conv.kernel_size, conv.stride, conv.padding, bias=conv.bias is not None)
    smaller.weight.data = conv.weight.data[outputs][:, inputs].clone()
    if conv.bias is not None:
        smaller.bias.data = conv.bias.data[outputs].clone()
    return smaller


def cut_norm(norm, kept):
    smaller = nn.BatchNorm2d(len(kept))
    for name in ("weight", "bias"):
        getattr(smaller, name).data = getattr(norm, name).data[kept].clone()
    for name in ("running_mean", "running_var"):
        setattr(smaller, name, getattr(norm, name)[kept].clone())
    return smaller


def cut_linear(linear, inputs):
    smaller = nn.Linear(len(inputs), linear.out_features)
    smaller.weight.data = linear.weight.data[:, inputs].clone()
    smaller.bias.data = linear.bias.data.clone()
    return smaller


def removable(model):
    """Of each convolution in order, whether its filters may go: in a ResNet only the first of each block, as in the paper."""
    inner = {id(block.conv1) for block in model if isinstance(block, BasicBlock)}
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    return [not inner or id(conv) in inner for conv in convs]


def cut(model, kept):
    """kept: of each convolution in order, the numbers of the filters that stay. The model itself stays as it is."""
    kept = iter(kept)
    layers = []
    channels = torch.arange(3)
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            outputs = next(kept)
            layers.append(cut_conv(layer, channels, outputs))
            channels = outputs
        elif isinstance(layer, nn.BatchNorm2d):
            layers.append(cut_norm(layer, channels))
        elif isinstance(layer, BasicBlock):
            inside, outside = next(kept), next(kept)
            block = copy.deepcopy(layer)
            block.conv1 = cut_conv(layer.conv1, torch.arange(layer.conv1.in_channels), inside)
            block.bn1 = cut_norm(layer.bn1, inside)
            block.conv2 = cut_conv(layer.conv2, inside, outside)
            layers.append(block)
            channels = outside
        elif isinstance(layer, nn.Linear) and layer.in_features != len(channels):
            layers.append(cut_linear(layer, channels))
            channels = torch.arange(layer.out_features)
        else:
            layers.append(copy.deepcopy(layer))
            if isinstance(layer, nn.Linear):
                channels = torch.arange(layer.out_features)
    return nn.Sequential(*layers)


def keep_best(model, scores, share):
    """Of each convolution all filters but the lowest `share` of them, rounded down, first ones first; all where none may go."""
    kept = []
    for own, may_go in zip(scores, removable(model)):
        goes = int(share * len(own)) if may_go else 0
        kept.append(torch.sort(torch.argsort(own, stable=True)[goes:]).values)
    return kept
