"""The networks of @secateur/models in plain PyTorch, for side-by-side measurements. Works with torch 1.13 and 2."""

import torch
from torch import nn
from torch.nn import functional as F

VGG16_STAGES = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
RESNET_STAGES = [(16, 1), (32, 2), (64, 2)]


def scaled(channels, width):
    return max(1, int(channels * width + 0.5))


def vgg16(width, classes):
    layers = []
    channels = 3
    for stage, filters_of_stage in enumerate(VGG16_STAGES):
        if stage > 0:
            layers.append(nn.MaxPool2d(2))
        for filters in filters_of_stage:
            filters = scaled(filters, width)
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
    hidden = scaled(512, width)
    layers += [nn.AvgPool2d(2), nn.Flatten()]
    layers += [nn.Linear(channels, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, classes)]
    return nn.Sequential(*layers)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut that pads with zero channels where the shape changes."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.stride = stride
        before = (filters - channels) // 2
        self.channel_padding = (before, filters - channels - before)

    def shortcut(self, x):
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if any(self.channel_padding):
            x = F.pad(x, (0, 0, 0, 0, *self.channel_padding))
        return x

    def forward(self, x):
        residual = F.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return F.relu(residual + self.shortcut(x))


def resnet(depth, width, classes):
    channels = scaled(16, width)
    layers = [nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
    for filters, stride_of_stage in RESNET_STAGES:
        filters = scaled(filters, width)
        for block in range((depth - 2) // 6):
            layers.append(BasicBlock(channels, filters, stride_of_stage if block == 0 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def build(name, width=1.0, classes=10):
    return vgg16(width, classes) if name == "vgg16" else resnet(int(name[len("resnet"):]), width, classes)


def conv_orthogonality(kernel):
    """|| kernel convolved with itself - identity ||, for a 3x3 kernel [out, in, 3, 3] (arXiv 2312.05875, eq. 2)."""
    correlation = F.conv2d(kernel, kernel, padding=1)
    identity = torch.zeros_like(correlation)
    identity[:, :, 1, 1] = torch.eye(len(kernel), device=kernel.device)
    return torch.linalg.norm((correlation - identity).flatten())


def paper_regularisers(model):
    """1e-4 * L1 norm of all parameters + 1e-2 * orthogonality of all 3x3 convolutions."""
    l1 = sum(parameter.abs().sum() for parameter in model.parameters())
    orthogonality = sum(conv_orthogonality(m.weight) for m in model.modules() if isinstance(m, nn.Conv2d))
    return 1e-4 * l1 + 1e-2 * orthogonality
