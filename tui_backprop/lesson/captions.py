"""One sentence for each kind of step, in the reader's words. Names in braces are filled from the network."""

CAPTIONS = {
    "input": "One sample, {inputs:,} numbers. Press → to send it through the network, step by step.",
    "affine": "Each of {width:,} units sums its {before:,} inputs, each times a weight, and adds a bias.",
    "activation": "Each unit bends its sum. What comes out is kept: the way back will need it.",
    "loss": "One number says how wrong the output is. Which weights caused it?",
    "output delta": "The way back starts here: how the loss answers to each output.",
    "weights": "Blame reaches {parameters:,} parameters: what came in, times how far this unit's sum is to blame.",
    "delta": "Each unit collects blame from all units it fed, along the same weights, and passes it on.",
    "update": "Every weight moves a little against its gradient. The next walk starts from the new ones.",
}
