"""One sentence for each kind of step, in the reader's words. Names in braces are filled from the network."""

CAPTIONS = {
    "input": "{samples}, {inputs}. Press → to send it through the network, step by step.",
    "affine": "{units} sums {before}, each times a weight{bias}.",
    "activation": "Each unit bends its sum. What comes out is kept: the way back will need it.",
    "loss": "One number says how wrong the output is. Which weights caused it?",
    "output delta": "The way back starts here: how the loss answers to each output.",
    "weights": "Blame reaches {parameters} parameters: what came in, times how far this unit's sum is to blame.",
    "last weights": "All {total} gradients are there, for {ratio}x a forward pass. Not 3x: the first layer needs no δ"
    " of its input.",
    "delta": "Each unit collects blame from all units it fed, along the same weights, and passes it on.",
    "update": "Every weight moves a little against its gradient. The next walk starts from the new ones.",
}

WORDS = (
    ("z, a", "a unit's sum before and after its activation function"),
    ("δ", "delta, dL/dz: how much the loss changes with that sum"),
    ("dW, db", "gradients: how much the loss changes with a weight, a bias"),
    ("MAC", "multiply-accumulate: one product, added to a sum"),
    ("FLOP", "one floating-point operation; a MAC is two"),
    ("vjp", "vector-Jacobian product: one operation's step backwards"),
    ("P", "how many parameters there are; units and samples count from 0"),
)
