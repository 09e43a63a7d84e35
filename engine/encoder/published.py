"""The published encoder, as its notebooks have it in TensorFlow (SPEC.md D.1), on our tensors. Knows shapes only.

Convolutions pad as TensorFlow's "same" does: at stride 2 and an even size nothing before and one after.
"""
from torch import nn
from torch.nn import functional as F

from engine.encoder.plan import Plan

SLOPE = 0.2
WIDTHS = (64, 128, 256, 512)
SMOOTHED = 2                             # the row whose output is averaged over 3 x 3 places


class Published(nn.Module):
    """3x3 convolutions at stride 2, each with batch normalisation, one more at stride 1, and a linear 1x1.

    "published-sharp" leaves the mean filter out, "published-short" the convolution at stride 1.
    """

    def __init__(self, plan: Plan):
        super().__init__()
        rows = list(zip(WIDTHS, [2] * min(4, plan.halvings) + [1] * (4 - plan.halvings)))
        rows += [(WIDTHS[-1], 2)] * (plan.halvings - 4)
        if plan.preset != "published-short":
            rows.append((WIDTHS[-1], 1))
        self.smoothed = SMOOTHED if plan.preset != "published-sharp" else None
        self.rows = nn.ModuleList(Row(inputs, outputs, stride) for inputs, (outputs, stride)
                                  in zip([3] + [row[0] for row in rows], rows))
        self.last = nn.Conv2d(rows[-1][0], plan.channels, 1)
        nn.init.xavier_uniform_(self.last.weight)               # Keras's usual beginning, as in the rows
        nn.init.zeros_(self.last.get_parameter("bias"))

    def forward(self, x):
        for i, row in enumerate(self.rows):
            x = row(x)
            if i == self.smoothed:
                x = mean_filter(x)
            x = F.leaky_relu(x, SLOPE)
        return self.last(x)


class Row(nn.Module):
    """Convolution and batch normalisation, [N, I, H, W] -> [N, O, H / stride, W / stride]."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        nn.init.xavier_uniform_(self.conv.weight)
        nn.init.zeros_(self.conv.get_parameter("bias"))

    def forward(self, x):
        return self.norm(self.conv(F.pad(x, find_padding(x.shape[2:], self.conv.stride[0]))))


def find_padding(size, stride, kernel=3):
    """Return the padding of TensorFlow's "same" for a picture (height, width): left, right, top, bottom."""
    pads = []
    for side in reversed(size):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return pads


def mean_filter(x):
    """Return the mean of 3 x 3 places, mirrored at the border without repeating it; a side of one place stays as it is."""
    down, across = x.shape[2] > 1, x.shape[3] > 1
    x = F.pad(x, [int(across)] * 2 + [int(down)] * 2, mode="reflect")
    return F.avg_pool2d(x, (3 if down else 1, 3 if across else 1), stride=1)
