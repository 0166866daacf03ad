"""The words of the field that panels use, each explained in one sentence."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A ``word``, its ``meaning``, and the ``panels`` whose help begins with it. {action} stands for the key of that
    action."""

    word: str
    meaning: str
    panels: tuple[str, ...] = ()


GLOSSARY = (
    Term("sign", "In a map, filled shapes are positive and strokes are negative; the size is the magnitude.",
         ("walk",)),
    Term("letter", "In the chart, the letter beside a method's name marks its line.", ("cost",)),
    Term("±", "A 95% interval: of a new measurement if the time was measured, of the fit if it is projected.",
         ("cost",)),
    Term("naive", "One parameter is perturbed at a time, and the whole forward pass runs again for each.",
         ("cost", "race")),
    Term("batched", "Many perturbed copies of the parameters run together, each from the layer that changed.",
         ("cost", "race")),
    Term("complex step", "A derivative from an imaginary perturbation: nothing cancels, so h may be tiny.",
         ("cost",)),
    Term("forward mode", "Derivatives computed alongside the values (JVPs), one parameter at a time.", ("cost",)),
    Term("SPSA", "Simultaneous perturbation: all parameters move at random at once. Two passes give an estimate of"
         " the gradient, a very noisy one.", ("cost", "race")),
    Term("P", "The number of parameters.", ("cost", "race")),
    Term("epsilon, h", "The step size of a finite difference: by how much a parameter is perturbed.",
         ("race", "step_size")),
    Term("kink", "A point where the derivative jumps, as ReLU's at 0. A finite difference across it is wrong.",
         ("step_size",)),
    Term("1st-order", "The change of the loss predicted from the gradient alone: gradient times change.",
         ("blame", "curves")),
    Term("w×dW", "Weight times gradient: to first order, how much setting the weight to zero lowers the loss.",
         ("blame",)),
    Term("pull", "The direction in which a sample's own gradient moves the parameter.", ("blame",)),
    Term("stuck", "The gradient promises little decrease of the loss, though many samples are misclassified.",
         ("flow",)),
    Term("dead unit", "A unit whose output is 0 on every sample: no gradient passes through it.", ("flow",)),
    Term("saturated", "A unit whose output is close to its limit, where the slope is nearly 0.", ("flow",)),
    Term("twin units", "Units with equal weights in and out: they get equal gradients and stay equal.", ("flow",)),
    Term("NaN", "Not a number: the result of an overflow, or of inf − inf. The flow panel names where it began.",
         ("flow",)),
    Term("rms", "Root mean square: the typical size of the entries.", ("flow",)),
    Term("chain rule", "The derivative of a composition is the product of the derivatives of its parts.",
         ("number", "graph")),
    Term("autodiff", "Automatic differentiation: the chain rule applied operation by operation. Backprop is its"
         " reverse mode.", ("graph",)),
    Term("vjp", "Vector-Jacobian product: one operation's step backward.", ("graph",)),
    Term("zero_grad", "Not needed here: each iteration computes its gradient anew and never adds to the last one.",
         ("graph",)),
    Term("detach", "The value goes on, and no gradient goes back through it. Layers detach nothing.", ("graph",)),
    Term("no_grad", "The update is not part of the graph, as under torch.no_grad().", ("graph",)),
    Term("loss", "Without another word, of the samples on the screen: in the top line, in the walk and in blame.",
         ("walk", "train")),
    Term("update loss", "The loss of the batch of one update, before that update.", ("train",)),
    Term("first 500", "The loss and accuracy on a fixed part of the data: its first 500 samples, or all if fewer.",
         ("train",)),
    Term("epoch", "As many updates as it takes to use every sample once.", ("train",)),
    Term("z, a", "A unit's pre-activation (its sum) and its activation."),
    Term("n, γ, β", "A normalized sum, and its gain and shift."),
    Term("δ", "delta, dL/dz: how much the loss changes with z."),
    Term("dW, db", "Gradients: how much the loss changes with a weight, a bias."),
    Term("α, λ", "The learning rate; the strength of an L2 penalty."),
    Term("μ, ρ, β₁, β₂", "The momentum; decay rates of an optimizer's running means."),
    Term("ε", "1e-8 unless set; added to a root of v or V, outside the root."),
    Term("decay", "Weight decay, added after clipping; decoupled in adamw."),
    Term("m", "A dropout mask in the network; in Adam a mean of gradients."),
    Term("attention", "Each position mixes the values of earlier ones, by weights that softmax makes of scores."),
    Term("q, k, v", "Query, key and value of a position: a score is a query times a key."),
    Term("residual", "A stream to which blocks add: gradients go back along it unchanged."),
    Term("kernel", "The weights of a convolution, the same at every position of an image."),
    Term("unrolled", "Written out step by step: a recurrent network uses the same weights at each step."),
    Term("MAC", "Multiply-accumulate: one product, added to a sum."),
    Term("FLOP", "One floating-point operation; a MAC is two."),
    Term("check", "backprop-tui check compares backprop with a numerical gradient, in the shell."),
    Term("save", "Each step is saved. {token} copies a token of the state, training included, which opens it on any"
         " machine; {set_bookmark} sets a bookmark; in the shell,"
         " backprop-tui trace --save FILE.npz writes all arrays."),
    Term("resume", "In the shell, backprop-tui --resume opens the last session again."),
    Term("position", "A place in a text, from 0; • marks the boundary (BOS) at both ends of a document."),
    Term("head", "A part of attention. A row of its map is the position that looks, a column one that is looked at."),
    Term("index", "Units and samples count from 0."),
)  # fmt: skip
