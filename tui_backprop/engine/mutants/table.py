"""The table of wrong ideas about backpropagation that lead to a wrong number.

From it come the errors that tests plant for ``check``, the wrong options of the quiz with their numbers, the
diagnosis of a learner's number, and the bugs to find. ``lesson/misconceptions.py`` refutes each in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tui_backprop.engine.mutants import attention, others, products, sharing, slopes, sums
from tui_backprop.engine.mutants.mutant import Move, Mutant, QuotientMutant, RuleMutant, UpdateMutant

STEP = 1e-4  # h of the difference quotient that is asked for
TINY_STEP = 1e-12  # lost in w + h in single precision, unless w is smaller still

RULES: tuple[RuleMutant, ...] = (
    RuleMutant("no-slope", "without the slope f'(z)", slopes.no_slope),
    RuleMutant("slope-at-output", "with the slope taken at f(z) instead of z", slopes.at_output),
    RuleMutant("slope-from-error", "with the slope taken at the error instead of z", slopes.at_error),
    RuleMutant(
        "composition-is-product", "with f'(x) g'(x) instead of f'(g(x)) g'(x)", slopes.at_inner_input
    ),
    RuleMutant("slope-as-matrix", "if the slope enters by a matrix product", slopes.as_matrix_product),
    RuleMutant(
        "through-the-gradient", "if the way back goes through dW instead of W", products.through_gradient
    ),
    RuleMutant(
        "updated-later-weights",
        "if the later weights are updated before the gradient passes them",
        products.updated_weights,
    ),
    RuleMutant("no-transpose", "if the way back goes through W instead of its transpose", products.no_transpose),
    RuleMutant("transposed-gradient", "if dW is transposed", products.transposed_gradient),
    RuleMutant("no-activation-input", "if dW is delta alone, without the layer's input", products.no_input),
    RuleMutant(
        "zero-mean-zero-below",
        "if deltas are summed over the batch before the product with x",
        products.means_first,
    ),
    RuleMutant("own-factor", "if a product passes back its own factor instead of the other", products.own_factor),
    RuleMutant("last-path-only", "if only the path computed last counts", sums.last_path),
    RuleMutant("first-path-only", "if a value passes its gradient on before all paths have arrived", sums.first_path),
    RuleMutant("counted-twice", "if the path computed first counts twice", sums.counted_twice),
    RuleMutant("sum-not-mean", "without the 1/n of the mean", sums.sum_not_mean),
    RuleMutant("mean-twice", "with 1/n once more, though the loss is a mean already", sums.mean_twice),
    RuleMutant("one-sample-bias", "if db is the last sample's delta instead of the sum", sums.one_sample),
    RuleMutant("zero-weight-zero-gradient", "if a parameter of 0 had no gradient", sums.zero_weight),
    RuleMutant("target-minus-output", "with target minus output instead of output minus target",
               others.target_minus_output),
    RuleMutant("error-is-delta", "if delta at the output is a − t, whatever loss and output",
               others.error_is_delta),
    RuleMutant("only-target", "if only the output of the right class gets a gradient", others.only_target),
    RuleMutant("probability-is-delta", "if delta is p, without the target", others.probability_is_delta),
    RuleMutant("sign-lost", "if a minus sign is lost, as in d log(1 − p)", others.sign_lost),
    RuleMutant("zero-before-backward", "if gradients are still 0, as before the backward pass", others.zero_seed),
    RuleMutant("loss-as-seed", "if the way back starts from the loss instead of from 1", others.loss_as_seed),
    RuleMutant("constant-statistics", "if mean and deviation of layer norm are taken for constants",
               others.constant_statistics),
    RuleMutant("no-dropout-mask", "without the dropout mask on the way back", others.no_mask),
    RuleMutant("no-penalty", "without the gradient of the penalty", others.no_penalty),
    RuleMutant("last-use-only", "if a shared weight keeps the term of its last use alone",
               sharing.last_use),
    RuleMutant("mean-of-uses", "if a shared weight gets the mean of its uses, not their sum",
               sharing.mean_of_uses),
    RuleMutant("softmax-diagonal", "if each attention weight depends on its own score alone",
               attention.diagonal_softmax),
    RuleMutant("no-causal-mask", "without the causal mask on the way back", attention.no_causal_mask),
    RuleMutant("no-constant-factor", "without a constant factor, such as the 1/√(d) of attention",
               attention.no_constant_factor),
)  # fmt: skip


def _fixed_bias(move: Move) -> float | None:
    return move.w if move.is_bias else None


UPDATES: tuple[UpdateMutant, ...] = (
    UpdateMutant("backward-updates", "if backward() already updates", "after backward", lambda move: move.after),
    UpdateMutant("grad-replaced", "if the second gradient replaces the first", "accumulated",
                 lambda move: move.gradient),
    UpdateMutant("bias-fixed", "if biases are not updated", "updated", _fixed_bias),
    UpdateMutant("ascent", "if the gradient is added instead of subtracted", "updated",
                 lambda move: 2 * move.w - move.after),
    UpdateMutant("rate-left-out", "without the learning rate", "updated",
                 lambda move: move.w + (move.after - move.w) / move.lr),
    UpdateMutant("step-is-weight", "if the step replaces the parameter instead of changing it", "updated",
                 lambda move: move.after - move.w),
    UpdateMutant("grad-not-cleared", "if .grad still holds the same gradient from before", "updated",
                 lambda move: 2 * move.after - move.w),
)  # fmt: skip

QUOTIENTS: tuple[QuotientMutant, ...] = (
    QuotientMutant("smaller-step-better", "with h = 1e-12 in single precision", "float32", TINY_STEP,
                   lambda above, below, h: (above - below) / h),
    QuotientMutant("not-divided", "if the change of the loss is not divided by h", "float64", STEP,
                   lambda above, below, h: above - below),
    QuotientMutant("loss-over-step", "if L(w + h) is divided by h, without subtracting L(w)", "float64", STEP,
                   lambda above, below, h: above / h),
    QuotientMutant("downhill-quotient", "with L(w) − L(w + h) in the numerator", "float64", STEP,
                   lambda above, below, h: (below - above) / h),
)  # fmt: skip

MUTANTS: Mapping[str, Mutant] = MappingProxyType({row.name: row for row in (*RULES, *UPDATES, *QUOTIENTS)})
RULES_BY_NAME: Mapping[str, RuleMutant] = MappingProxyType({row.name: row for row in RULES})
