"""The table of the options that describe a session: names, examples and help, and which of them belong together."""

from __future__ import annotations

from tui_backprop.data.catalogue import DATASETS, TEXTS
from tui_backprop.engine.frontends.conv.presets import POOLINGS
from tui_backprop.engine.frontends.gpt.presets import NORMS
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import SCHEDULES
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES
from tui_backprop.session.presets import PRESETS

STARTS = ", ".join(
    [*(f"{row.first} for {name}" for name, row in (DATASETS | TEXTS).items() if row.first), "else 0"]
)

# Option, names or an example of its values, help. Values are validated by the spec, not by click, so that the app
# and the command line report a bad one in the same words.
CHOICES: tuple[tuple[str, str, str], ...] = (
    ("--preset", "|".join(PRESETS), "Network and data to start from."),
    (
        "--expr",
        "'L = (w*x - y)**2'",
        "An expression instead of a network: statements, the last one the loss.",
    ),
    ("--let", "'x:=1, y:=3, w=2'", "Its numbers: = gives one to a parameter, := to what is fixed."),
    (
        "--recording",
        "FILE.bp",
        "A step of a PyTorch model, as tui_backprop.record wrote it; --recording can be left out.",
    ),
    ("--iteration", "3", "Of a recording: the number of the step; default: the last one."),
    ("--layers", "784,256,10", "Layer sizes, input first."),
    (
        "--activation",
        "|".join(ACTIVATIONS),
        "Of the hidden layers; one for all, or one each, separated by commas: relu,tanh.",
    ),
    ("--loss", "|".join(LOSSES), "Loss function."),
    (
        "--output-activation",
        "|".join(ACTIVATIONS),
        "Of the last layer, if the loss takes values: mse, half-squares.",
    ),
    (
        "--init",
        "|".join(INITIALIZERS),
        "Weight initialization; some take a scale: normal:0.02, constant:0.1.",
    ),
    ("--dropout", "0.1", "Probability of dropping a hidden activation; default 0."),
    (
        "--l2",
        "0.001",
        "Lambda of the L2 penalty in the loss, lambda / 2 times the sum of all squared weights (see --decay-bias);"
        " default 0.",
    ),
    ("--freeze", "1,2", "Layers whose parameters get no gradient and are not updated; default none."),
    (
        "--weights",
        "FILE",
        "Initial parameters from an npz or safetensors file: W1, b1, ... as trace --save writes"
        " them, or PyTorch's names, such as 0.weight or fc1.bias.",
    ),
    (
        "--set",
        "'W1=[[.15,.25],[.2,.3]], b1=.35'",
        "Initial parameters, typed; a single number fills its parameter, what is not given is drawn.",
    ),
    ("--channels", "6,16", "Of a convolutional network: channels that each convolution makes."),
    ("--kernel", "5", "Of a convolutional network: size of the kernels; one for all, or one each: 5,3."),
    ("--stride", "1", "Of a convolutional network: entries between the positions of kernels; likewise."),
    ("--padding", "2,0", "Of a convolutional network: zeros around the images; likewise."),
    ("--pooling", "|".join(POOLINGS), "Of a convolutional network: pooling of 2x2 windows in each stage."),
    (
        "--dense",
        "120,84",
        "Of a convolutional network: units of the dense layers before the outputs, or none.",
    ),
    ("--depth", "1", "Of a GPT: number of blocks."),
    ("--width", "16", "Of a GPT: numbers of the residual stream at each position."),
    ("--heads", "4", "Of a GPT: attention heads of each block; the width is divided among them."),
    ("--context", "16", "Of a GPT or RNN: positions, the tokens that it sees at the most."),
    ("--hidden", "32", "Of an RNN: units of its state."),
    ("--norm", "|".join(NORMS), "Of a GPT: RMS normalization, or layer normalization with gain and shift."),
    ("--dtype", "|".join(DTYPES), "Floating-point precision."),
    ("--seed", "0", "Seed of the initial weights, of dropout, of generated data and of --validation."),
    (
        "--data",
        "|".join(DATASETS | TEXTS),
        "Data set; or a file: points.csv, .tsv, .npz, .npy or IDX, which may be compressed; for a GPT or RNN,"
        " text.txt with a document on each line; - is stdin.",
    ),
    ("--target", "COLUMN", "Column of the file that is the target; default: the last one."),
    ("--scale", "standard|minmax", "Scale each input of the file: to mean 0 and deviation 1, or to 0..1."),
    ("--x", "'[[.05, .1]]'", "Samples, typed: a row of inputs for each."),
    ("--y", "'[[.01, .99]]'", "Their targets: a row of real values for each, or a list of class labels."),
    ("--sample", "0", f"First sample of the batch; default {STARTS}."),
    ("--batch", "1", "Number of samples in the batch."),
    (
        "--validation",
        "0.2",
        "Samples held out for validation: a share or a number of them, drawn with the seed; default 0.",
    ),
    (
        "--text",
        "emma",
        "For a GPT or RNN: a text of your own in place of the samples, at most as long as the context.",
    ),
    (
        "--letter",
        "3",
        "Of --text: the letter whose prediction has the loss, 1 for the first, one more than the last for the end;"
        " default: the mean over all.",
    ),
    ("--lr", "0.01", "Learning rate, alpha."),
    ("--optimizer", "|".join(UPDATE_RULES), "Optimizer."),
    (
        "--momentum",
        "0.9",
        "Momentum mu of momentum, nesterov (PyTorch's form: the step is g + mu v, with the new v) and"
        " rmsprop-momentum; default 0.9.",
    ),
    ("--beta1", "0.9", "beta1 of adam and adamw, for the mean of gradients; default 0.9."),
    ("--beta2", "0.999", "beta2 of adam and adamw, for the mean of squared gradients; default 0.999."),
    (
        "--rho",
        "0.99",
        "rho of both kinds of rmsprop, for the mean of squared gradients (alpha in PyTorch); default 0.99.",
    ),
    (
        "--epsilon",
        "1e-8",
        "epsilon of both kinds of rmsprop, adam and adamw, added outside the root as in PyTorch; default 1e-8.",
    ),
    (
        "--weight-decay",
        "0.01",
        "Weight decay, added to the gradient; decoupled from it in adamw; default 0.",
    ),
    (
        "--clip",
        "1",
        "Clip the norm of the gradient of all parameters to this value, before weight decay; default: no limit.",
    ),
    ("--schedule", "|".join(SCHEDULES), "Learning rate schedule."),
    ("--warmup", "10", "Iterations of linear warmup; default 0."),
    ("--horizon", "1000", "Iterations until the schedule ends and the rate stays; default 1000."),
)
FLAGS = (
    ("--no-bias", "No biases."),
    ("--batch-norm", "Of a convolutional network: batch normalization in each stage, instead of the bias."),
    ("--tied", "Of a GPT: the output matrix is the transposed embedding."),
    ("--layer-norm", "Layer normalization of the pre-activations of each hidden layer."),
    ("--residual", "Add its input to each hidden layer, if both have the same width."),
    ("--repeat-batch", "Train on the same batch again and again, instead of the next one each time."),
    ("--input-gradient", "Go on to the gradient of the loss by the input, dL/dx."),
    (
        "--decay-bias/--no-decay-bias",
        "Apply weight decay and L2 to biases, gains and shifts, too, or to weights only; default: weight decay to all"
        " (as in PyTorch), L2 to weights only.",
    ),
)

# Options that set a field of the network, and of the optimizer; and those that only some choices have.
NETWORK = (
    "activation", "output_activation", "loss", "init", "dropout", "l2", "dtype", "seed", "layer_norm", "residual",
    "input_gradient",
)  # fmt: skip

OPTIMIZER = (*SYMBOLS, "weight_decay", "decay_bias", "clip", "schedule", "warmup", "horizon")

# Options that belong to no dense network; and those of every network that are no fields of it.
OTHER = (
    "depth", "width", "heads", "context", "norm", "tied", "hidden",
    "channels", "kernel", "stride", "padding", "pooling", "dense", "batch_norm",
)  # fmt: skip
ANY_NETWORK = frozenset(
    (
        "preset",
        "data",
        "sample",
        "batch",
        "validation",
        "repeat_batch",
        "text",
        "letter",
        "lr",
        "optimizer",
        *OPTIMIZER,
    )
)

EXPRESSION_OPTIONS = frozenset(
    ("preset", "expr", "let", "dtype", "input_gradient", "lr", "optimizer", *OPTIMIZER)
)
RECORDING_OPTIONS = frozenset(("recording", "iteration", "lr", "optimizer", *OPTIMIZER))

EXPRESSION_LR = 0.1  # where neither an option nor a preset gives one

ONLY = (
    *(
        (setting, "optimizer", tuple(name for name, row in UPDATE_RULES.items() if setting in row.settings))
        for setting in SYMBOLS
    ),
    ("horizon", "schedule", tuple(name for name, row in SCHEDULES.items() if row.horizon)),
)
