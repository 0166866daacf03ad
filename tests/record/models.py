"""Models that are recorded for tests, each as a step: what PyTorch runs, up to the backward pass. Needs PyTorch."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

DOUBLE = torch.float64


class Residual(nn.Module):
    """A block of a small ResNet."""

    def __init__(self, channels, stride=1):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Conv2d(channels, channels, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(y)) + self.shortcut(x))


class Attention(nn.Module):
    """Causal attention by hand, or fused."""

    def __init__(self, width, heads, fused, causal=True):
        super().__init__()
        self.heads, self.fused, self.causal = heads, fused, causal
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (each.view(n, t, self.heads, -1).transpose(1, 2) for each in self.qkv(x).split(c, 2))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
            if self.causal:
                scores = scores.masked_fill(torch.ones(t, t).triu(1).bool(), float("-inf"))
            y = scores.softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    """A block of a GPT."""

    def __init__(self, width, heads, fused, norm=nn.LayerNorm, drop=0.0):
        super().__init__()
        self.norm1, self.attention = norm(width), Attention(width, heads, fused)
        self.norm2 = norm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(drop)
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(
        self, vocabulary=11, width=8, heads=2, context=6, fused=True, norm=nn.LayerNorm, tied=False, drop=0.0
    ):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, fused, norm, drop) for _ in range(2))
        self.norm, self.head = norm(width), nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def mlp(activation, *sizes, norm=None):
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), *([norm(b)] if norm else []), activation()]
    return nn.Sequential(*layers[:-1])


def classified(model, x, classes, **options):
    t = torch.randint(0, classes, (len(x),))
    F.cross_entropy(model(x), t, **options).backward()


def regressed(model, x, loss=F.mse_loss):
    y = model(x)
    loss(y, torch.randn_like(y)).backward()


def _mlp(activation, dtype=torch.float32, norm=None):
    return lambda: classified(
        mlp(activation, 5, 7, 6, 3, norm=norm).to(dtype), torch.randn(4, 5, dtype=dtype), 3
    )


def _images(*layers, size=(4, 3, 8, 8), classes=3, dtype=torch.float32):
    return lambda: classified(nn.Sequential(*layers).to(dtype), torch.randn(size, dtype=dtype), classes)


def _gpt(dtype=torch.float32, **options):
    def step():
        model, ids = GPT(**options).to(dtype), torch.randint(0, 11, (3, 6))
        logits = model(ids)
        F.cross_entropy(logits.flatten(0, 1), torch.randint(0, 11, (18,))).backward()

    return step


def _lstm(cell):
    def step():
        unit, out = cell(5, 6), nn.Linear(6, 2)
        h = c = torch.zeros(3, 6)
        for x in torch.randn(4, 3, 5):
            found = unit(x, (h, c)) if isinstance(unit, nn.LSTMCell) else unit(x, h)
            h, c = found if isinstance(unit, nn.LSTMCell) else (found, c)
        regressed(out, h)

    return step


def autoencoder():
    down = nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 6, 3, 2, 1), nn.LeakyReLU(0.2)
    )
    up = nn.Sequential(
        nn.ConvTranspose2d(6, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid()
    )
    x = torch.rand(3, 1, 8, 8)
    F.binary_cross_entropy(up(down(x)), x).backward()


def siamese():
    model = mlp(nn.Tanh, 6, 8, 4)
    a, b = model(torch.randn(5, 6)), model(torch.randn(5, 6))
    same = torch.randint(0, 2, (5,)).float()
    distance = (a - b).pow(2).sum(1)
    (same * distance + (1 - same) * F.relu(1 - distance.sqrt()).pow(2)).mean().backward()


def variational():
    encode, decode = nn.Linear(6, 8), nn.Linear(4, 6)
    x = torch.rand(5, 6)
    mean, log_variance = encode(x).chunk(2, 1)
    z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
    (F.binary_cross_entropy_with_logits(decode(z), x) + divergence).backward()


def mixture():
    gate, experts = nn.Linear(4, 3), nn.ModuleList(nn.Linear(4, 2) for _ in range(3))
    x = torch.randn(5, 4)
    shares = gate(x).softmax(1)
    regressed(lambda x: torch.stack([each(x) for each in experts], 1).mul(shares[..., None]).sum(1), x)


def triplet():
    model = mlp(nn.ReLU, 5, 6, 3)
    a, b, c = (F.normalize(model(torch.randn(4, 5))) for _ in range(3))
    F.relu((a - b).norm(dim=1) - (a - c).norm(dim=1) + 0.2).mean().backward()


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
    regressed(layer, torch.randn(2, 5, 8))


def recommender():
    users, items = nn.Embedding(7, 4), nn.EmbeddingBag(9, 4, mode="sum")
    scores = (users(torch.tensor([1, 2, 1])) * items(torch.randint(0, 9, (3, 2)))).sum(-1)
    F.softplus(-scores).mean().backward()


def graph_network():
    a = (torch.rand(6, 6) > 0.5).float() + torch.eye(6)
    a = a / a.sum(1, keepdim=True)
    first, second = nn.Linear(4, 5), nn.Linear(5, 3)
    classified(lambda x: second(a @ F.elu(first(a @ x))), torch.randn(6, 4), 3)


def spectral():
    w = nn.Parameter(torch.randn(4, 4))
    x = torch.randn(3, 4)
    y = torch.logsumexp(x @ (w + w.T), 1) + torch.log1p((x @ w).abs()).sum(1)
    (y.var() + w.norm() + torch.amax(w, 1).sum() + w.clamp(-0.5, 0.5).prod(0).sum()).backward()


def gathered():
    w = nn.Parameter(torch.randn(5, 6))
    places = torch.randint(0, 6, (5, 2))
    y = (
        w.gather(1, places).sum()
        + w[[0, 2, 2]].mul(2).sum()
        + w.max(1).values.sum()
        + w.index_select(1, places[0]).sum()
    )
    (y + w.flip(0).cumsum(1).mean() + w.roll(1, 0).tril().sum() + w.topk(2, 1).values.sum()).backward()


def functions():
    w = nn.Parameter(torch.rand(3, 4) + 0.5)
    y = (
        w.sin()
        + w.cos() * w.exp() / w.log1p()
        + w.rsqrt()
        - w.reciprocal()
        + w.erf()
        + w.expm1()
        + w.tan()
        + w.atan()
    )
    (
        y + torch.maximum(w, w.flip(0)) + torch.lerp(w, w.T.reshape(3, 4), 0.3) + torch.where(w > 1, w, 2 * w)
    ).sum().backward()


def _activation(function):
    return lambda: regressed(lambda x: function(nn.Linear(5, 6)(x)), torch.randn(4, 5) * 2)


def _loss(loss):
    return lambda: regressed(nn.Linear(5, 3), torch.randn(4, 5), loss)


def weighted():
    w = torch.tensor([1.0, 2.0, 0.5])
    t = torch.tensor([0, 2, -100, 1])
    F.cross_entropy(nn.Linear(5, 3)(torch.randn(4, 5)), t, weight=w, label_smoothing=0.1).backward()


def segmentation():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.GroupNorm(2, 4),
        nn.SiLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(4, 3, 1),
    )
    F.cross_entropy(model(torch.randn(2, 2, 4, 4)), torch.randint(0, 3, (2, 8, 8))).backward()


torch.manual_seed(0)  # of the models that are made here
HEAD = (nn.AdaptiveAvgPool2d(1), nn.Flatten())


MODELS = {
    "mlp-relu": _mlp(nn.ReLU),
    "mlp-tanh-double": _mlp(nn.Tanh, DOUBLE),
    "mlp-gelu": _mlp(nn.GELU),
    "mlp-silu-double": _mlp(nn.SiLU, DOUBLE),
    "mlp-elu": _mlp(nn.ELU),
    "mlp-selu-double": _mlp(nn.SELU, DOUBLE),
    "mlp-softplus": _mlp(nn.Softplus),
    "mlp-leaky": _mlp(nn.LeakyReLU),
    "mlp-hardtanh": _mlp(nn.Hardtanh),
    "mlp-layer-norm": _mlp(nn.ReLU, norm=nn.LayerNorm),
    "mlp-layer-norm-double": _mlp(nn.GELU, DOUBLE, nn.LayerNorm),
    "mlp-batch-norm": _mlp(nn.ReLU, norm=nn.BatchNorm1d),
    "mlp-rms-norm": _mlp(nn.ReLU, norm=nn.RMSNorm),
    "lenet": _images(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3)
    ),
    "lenet-double": _images(
        nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 3), dtype=DOUBLE
    ),
    "vgg": _images(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True),
        nn.MaxPool2d(2, 2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2), nn.Flatten(),
        nn.Linear(24, 8), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(8, 3),
    ),
    "resnet": _images(nn.Conv2d(3, 4, 3, padding=1), Residual(4), Residual(4, 2), *HEAD, nn.Linear(4, 3)),
    "resnet-double": _images(Residual(3), *HEAD, nn.Linear(3, 3), dtype=DOUBLE),
    "resnet-eval": _images(Residual(3).eval(), *HEAD, nn.Linear(3, 3)),
    "mobile": _images(
        nn.Conv2d(3, 6, 1), nn.ReLU6(), nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Hardswish(), *HEAD,
        nn.Linear(6, 3),
    ),
    "dilated": _images(
        nn.Conv2d(3, 4, 3, dilation=2), nn.Mish(), nn.MaxPool2d(3, 1, 1), nn.Flatten(), nn.Linear(64, 3)
    ),
    "sequence": _images(
        nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(16, 3), size=(4, 3, 8)
    ),
    "instance-norm": _images(
        nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    ),
    "segmentation": segmentation,
    "autoencoder": autoencoder,
    "gpt": _gpt(),
    "gpt-double": _gpt(DOUBLE),
    "gpt-by-hand": _gpt(fused=False),
    "gpt-rms-tied": _gpt(norm=nn.RMSNorm, tied=True, fused=False),
    "gpt-dropout": _gpt(drop=0.2),
    "encoder": encoder,
    "lstm-cell": _lstm(nn.LSTMCell),
    "gru-cell": _lstm(nn.GRUCell),
    "rnn-cell": _lstm(nn.RNNCell),
    "siamese": siamese,
    "variational": variational,
    "mixture": mixture,
    "triplet": triplet,
    "recommender": recommender,
    "graph-network": graph_network,
    "spectral": spectral,
    "gathered": gathered,
    "functions": functions,
    "log-sigmoid": _activation(F.logsigmoid),
    "glu": _activation(F.glu),
    "gelu-tanh": _activation(lambda x: F.gelu(x, approximate="tanh")),
    "softmin": _activation(lambda x: F.softmin(x, 0)),
    "l1": _loss(F.l1_loss),
    "smooth-l1": _loss(F.smooth_l1_loss),
    "huber": _loss(F.huber_loss),
    "kl": _loss(lambda y, t: F.kl_div(y.log_softmax(1), t.softmax(1), reduction="batchmean")),
    "cosine": _loss(lambda y, t: (1 - F.cosine_similarity(y, t)).mean()),
    "weighted-entropy": weighted,
}  # fmt: skip
