"""Sees every cotangent of a backward pass, by hooks of the operations of autograd that it runs through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from tui_backprop.record.errors import RecordError
from tui_backprop.record.modules import COMPILED, REFUSED
from tui_backprop.record.observer import Observer, node_of
from tui_backprop.record.tape import LEAF, Node, TapeFunction

LEAVES = "AccumulateGrad"  # in the name of the operation that adds to the .grad of a leaf
COMPILED_PASS = "CompiledFunction"  # in the name of a whole backward pass that was compiled


@contextmanager
def backward_seen(observer: Observer) -> Iterator[None]:
    """See the calls of ``backward`` and ``torch.autograd.grad``, and of functions with a backward pass of their
    own."""
    autograd, function = torch.autograd, torch.autograd.Function
    backward, grad, apply = autograd.backward, autograd.grad, function.__dict__["apply"]

    def seen_backward(tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _pass(observer, _listed(tensors), _listed(grad_tensors)):
            return backward(tensors, grad_tensors, *args, **kwargs)

    def seen_grad(outputs: Any, inputs: Any, grad_outputs: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _pass(observer, _listed(outputs), _listed(grad_outputs)) as seen:
            found = grad(outputs, inputs, grad_outputs, *args, **kwargs)
            for each, cotangent in zip(_listed(inputs), _listed(found), strict=False):
                if isinstance(each, torch.Tensor) and cotangent is not None:
                    seen.setdefault(node_of(each), cotangent)  # its operation has not run
        return found

    def seen_apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        return _apply(observer, cls.__name__, partial(apply.__func__, cls), args, kwargs)

    autograd.backward, autograd.grad, function.apply = seen_backward, seen_grad, classmethod(seen_apply)
    try:
        yield
    finally:
        autograd.backward, autograd.grad, function.apply = backward, grad, apply


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return (
        [*given.values()]
        if isinstance(given, dict)
        else [*given]
        if isinstance(given, (list, tuple))
        else [given]
    )


def _apply(observer: Observer, name: str, apply: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Run a function with a backward pass of its own; what it runs is noted as its parts."""
    if observer.backward or observer.function is not None:
        return apply(*args, **kwargs)
    tape = observer.tape
    inputs = tuple(observer.value_of(each) for each in args if isinstance(each, torch.Tensor))
    function = TapeFunction(name, inputs, observer.module())
    observer.function = len(tape.functions)
    tape.functions.append(function)
    try:
        made = apply(*args, **kwargs)
        outputs = [each for each in _listed(made) if isinstance(each, torch.Tensor)]
        function.outputs = observer.results(outputs, inputs, name)
    finally:
        observer.function = None
    function.node = next((node_of(each)[0] for each in outputs if each.grad_fn is not None), None)
    return made


@contextmanager
def _pass(observer: Observer, roots: Sequence[Any], seeds: Sequence[Any]) -> Iterator[dict[Node, Any]]:
    """See one backward pass: hook all operations that it may run through."""
    tape, seen = observer.tape, dict[Node, Any]()
    outermost = observer.backward == 0
    tensors = [each for each in roots if isinstance(each, torch.Tensor)]
    if outermost:
        for k, each in enumerate(tensors):
            seed = seeds[k] if k < len(seeds) else None
            tape.roots.append((observer.value_of(each), seed))
    hooks: list[Any] = []
    for node in _nodes(tensors):
        if COMPILED_PASS in node.name():
            raise RecordError(f"this backward pass was compiled: {REFUSED[COMPILED]}")
        if LEAVES in node.name():
            leaf = node.variable
            if (
                outermost and id(leaf) not in tape.before
            ):  # what an earlier pass of this step added is not left over
                tape.before[id(leaf)] = None if leaf.grad is None else leaf.grad.detach().clone()
            hooks.append(node.register_prehook(partial(_saw_leaf, seen, (LEAF, id(leaf)))))
        elif outermost:
            number = node._sequence_nr()
            hooks.append(node.register_prehook(partial(_saw_cotangents, seen, number)))
            edges = tuple(map(_edge, node.next_functions))
            hooks.append(node.register_hook(partial(_saw_terms, tape.terms, number, edges)))
    observer.backward += 1
    try:
        with observer.away():
            yield seen
    finally:
        observer.backward -= 1
        for hook in hooks:
            hook.remove()
        for node, cotangent in seen.items():
            tape.cotangents.setdefault(node, []).append(cotangent)


def _nodes(tensors: Sequence[Any]) -> Iterator[Any]:
    """Yield all operations of autograd below some tensors."""
    waiting = [each.grad_fn for each in tensors if each.grad_fn is not None]
    known = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for below, _ in node.next_functions:
            if below is not None and below not in known:
                known.add(below)
                waiting.append(below)


def _edge(edge: tuple[Any, int]) -> Node | None:
    """Return what a cotangent flows to along an edge."""
    node, output = edge
    if node is None:
        return None
    return (LEAF, id(node.variable)) if LEAVES in node.name() else (node._sequence_nr(), output)


def _saw_leaf(seen: dict[Node, Any], leaf: Node, cotangents: Sequence[Any]) -> None:
    if cotangents[0] is not None:
        seen[leaf] = cotangents[0] if leaf not in seen else seen[leaf] + cotangents[0]


def _saw_cotangents(seen: dict[Node, Any], number: int, cotangents: Sequence[Any]) -> None:
    for output, each in enumerate(cotangents):
        if each is not None:
            seen[number, output] = each


def _saw_terms(
    terms: dict[int, list[tuple[Node, Any]]],
    number: int,
    edges: Sequence[Node | None],
    found: Sequence[Any],
    _: Any,
) -> None:
    for edge, term in zip(edges, found, strict=False):
        if edge is not None and term is not None:
            terms.setdefault(number, []).append((edge, term))
