"""One sentence for each kind of step, in the reader's words. Names in braces are filled from the network."""

CAPTIONS = {
    "input": "{samples}, {inputs}. Press {step_on} to send it through the network, step by step.",
    "affine": "{units} sums {before}, each times a weight{bias}.",
    "normalization": "The sums of a sample are brought to mean 0 and deviation 1; then each unit stretches (γ) and"
    " shifts (β) its own.",
    "activation": "Each unit bends its sum. What comes out is kept: the way back will need it.",
    "dropout": "Chance silences {dropped} of the units in this pass; the others speak up, so that the mean stays.",
    "residual": "What came into the layer is added to what it made: a way around it, for the signal and for blame.",
    "loss": "One number says how wrong the output is. Which weights caused it?",
    "penalty": "Large weights are charged for too: half of λ times the sum of their squares.",
    "output delta": "The way back starts here: how the loss answers to each output.",
    "weights": "Blame reaches {parameters} parameters: what came in, times how far this unit's sum is to blame.",
    "last weights": "All {total} gradients are there, for {ratio}x a forward pass. Not 3x: the first layer needs no δ"
    " of its input.",
    "gains": "Gain and shift get their blame too: summed over the samples of the batch.",
    "carried": "Blame for what the layer handed on. It will be needed twice: to go through the layer, and around it.",
    "delta": "Each unit collects blame from all units it fed, along the same weights, and passes it on.",
    "carried delta": "The blame goes through the layer: each unit passes on as much as its slope lets through.",
    "normalization delta": "Moving or stretching all sums of a sample at once changed nothing: that part of the blame"
    " falls away.",
    "layer forward": "Layer {layer}: {units} sums {before}, each times a weight{bias}; what comes of it is bent, and"
    " handed on.",
    "layer loss": "One number says how wrong the output is, and how large the weights are. Which of them caused it?",
    "layer backward": "Layer {layer}: blame comes to its sums, δ; times what came in, it is a weight's gradient.",
    "update": "Every weight moves a little against its gradient. The next walk starts from the new ones.",
    "momentum": "Every weight moves along v, in which past gradients live on and fade: it gathers speed.",
    "nesterov": "As with momentum, but looking ahead: v is taken as it will have faded one step on.",
    "rmsprop": "Every weight moves against its gradient, over the size that its gradients have had of late.",
    "adam": "Every weight moves against the mean of its gradients over their usual size: by about α, large or small.",
    "adamw": "As with Adam: by about α, whatever the size of the gradients. The weights also shrink by a share.",
}

# Single operations that are only a part of their equation, by what they are and of which input the VJP is.
OPERATIONS = {
    ("matmul", None): "{units} sums {before}, each times a weight.",
    ("bias add", None): "Each unit adds its bias, a number of its own, whatever came in.",
    ("penalty", None): "The weights of one layer are charged for: half of λ times the sum of their squares.",
    ("matmul", 0): "Each unit collects blame from all units it fed, along the same weights.",
    (
        "matmul",
        1,
    ): "Blame reaches {weights} weights: what came in, times how far this unit's sum is to blame.",
    ("bias add", 1): "A bias is to blame as far as its unit's sum is: δ, summed over the samples.",
    ("penalty", 1): "A weight is also to blame for its penalty: λ times itself is added.",
    ("residual", 0): "A sum hands its blame on whole to what was added: here to what the layer made.",
    ("residual", 1): "What went around the layer comes back here: the blame of both ways adds up.",
    ("activation", 0): "Each unit passes on as much blame as its slope lets through.",
    ("dropout", 0): "A unit that was silenced had no part in this loss, and gets no blame.",
    ("normalization", 1): "A gain is to blame by what it stretched, summed over the samples.",
    ("normalization", 2): "A shift is to blame as far as its unit is, summed over the samples.",
}

WORDS = (
    ("z, a", "a unit's sum before and after its activation function"),
    ("n, γ, β", "a normalized sum, and the gain and shift it was given"),
    ("δ", "delta, dL/dz: how much the loss changes with that sum"),
    ("dW, db", "gradients: how much the loss changes with a weight, a bias"),
    ("α, λ", "the learning rate; the strength of a penalty or a decay"),
    ("m", "a dropout mask in the network; in Adam a mean of gradients"),
    ("MAC", "multiply-accumulate: one product, added to a sum"),
    ("FLOP", "one floating-point operation; a MAC is two"),
    ("vjp", "vector-Jacobian product: one operation's step backwards"),
    ("P", "how many parameters there are; units and samples count from 0"),
)
