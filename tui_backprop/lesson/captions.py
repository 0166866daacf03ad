"""One sentence for each kind of step, in the reader's words. Names in braces are filled from the network."""

CAPTIONS = {
    "input": "{samples}, {inputs}. Press {step_on} to send it through the network, step by step.",
    "affine": "{units} sums {before}, each times a weight{bias}.",
    "normalization": "Each sample's sums get mean 0 and standard deviation 1; each unit then scales (γ) and"
    " shifts (β) its own.",
    "activation": "Each unit applies f to its sum. The result is kept for the backward pass.",
    "dropout": "About {dropped} of the units are dropped at random; the others are scaled up, to keep the mean.",
    "residual": "The layer's input is added to its output: a shortcut around it, for the signal and for blame.",
    "loss": "One number says how wrong the output is. Which weights caused it?",
    "penalty": "Large parameters are penalized ({penalized}): half of λ times the sum of their squares.",
    "output delta": "The way back starts here: how the loss changes with each output.",
    "weights": "Blame reaches {parameters} parameters: for a weight, input times its unit's δ.",
    "last weights": "All {total} gradients are known, for {ratio}x a forward pass. Not 3x: layer 1 needs no δ"
    " for its input.",
    "gains": "Gain and shift get their blame too: summed over the samples of the batch.",
    "input gradient": "One step beyond the weights: how the loss changes with each entry of the input.",
    "carried": "Blame for the layer's output. It is used twice: it goes through the layer, and around it.",
    "delta": "Each unit collects blame from all units it fed, along the same weights, and passes it on.",
    "carried delta": "The blame goes through the layer: each unit passes on as much as its slope lets through.",
    "normalization delta": "Shifting or scaling all sums of a sample at once has no effect: that part of the blame"
    " drops out.",
    "layer forward": "Layer {layer}: {units} sums {before}, each times a weight{bias}; f is applied, and the result"
    " goes on.",
    "layer loss": "One number says how wrong the output is, and how large the weights are. Which of them caused it?",
    "layer backward": "Layer {layer}: blame reaches its sums, as δ; δ times an input is a weight's gradient.",
    "update": "Every weight moves a little against its gradient. The next walk starts from there.",
    "momentum": "Every weight moves along v, a decaying sum of past gradients: it gathers speed.",
    "nesterov": "As with momentum, but looking ahead: the step is dW plus v after another decay.",
    "rmsprop-momentum": "Every weight moves along u, a decaying sum of past gradients, each divided by their RMS.",
    "rmsprop": "Every weight moves against its gradient, divided by the RMS of its recent gradients.",
    "adam": "Every weight moves against the mean of its gradients, divided by their RMS: by about α each time.",
    "adamw": "As with Adam: by about α, whatever the size of the gradients. The weights also decay a little.",
}

# Single operations that are only a part of their equation, by what they are and of which input the VJP is.
OPERATIONS = {
    ("matmul", None): "{units} sums {before}, each times a weight.",
    ("bias add", None): "Each unit adds its bias, a number of its own, whatever came in.",
    ("penalty", None): "One more tensor is penalized ({penalized}): half of λ times the sum of its squares.",
    ("matmul", 0): "Each unit collects blame from all units it fed, along the same weights.",
    ("matmul", 1): "Blame reaches {weights} weights: for each, its input times its unit's δ.",
    ("bias add", 1): "A bias takes the blame of its unit's sum: δ, summed over the samples.",
    ("penalty", 1): "Each of them is also to blame for its penalty: λ times itself is added.",
    ("residual", 0): "A sum passes its full blame to each term: here, to the layer's output.",
    ("residual", 1): "The shortcut rejoins here: the blame of both paths adds up.",
    ("activation", 0): "Each unit passes on as much blame as its slope lets through.",
    ("dropout", 0): "A unit that was dropped had no part in this loss, and gets no blame.",
    ("normalization", 1): "Blame times the normalized value, summed over the samples.",
    ("normalization", 2): "A shift takes the blame of its unit, summed over the samples.",
}
