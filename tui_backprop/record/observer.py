"""Sees every operation that PyTorch runs, and notes it on a tape.

It stands below autograd (``TorchDispatchMode``), where all of PyTorch's functions have become a few hundred basic
operations; which operation of autograd belongs to a tensor is read from the tensor when it is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from tui_backprop.engine.frontends.recording.recorded import (
    ALIAS,
    FUNCTION,
    NAMED,
    NUMBER,
    OVERWRITTEN,
    VALUE,
)
from tui_backprop.record.tape import LEAF, Tape, TapeOp, TapeValue


class Observer(TorchDispatchMode):  # type: ignore[misc]
    """Notes operations on ``tape``. ``module`` returns the number of the module call that is running."""

    def __init__(self, module: Callable[[], int]) -> None:
        super().__init__()
        self.backward = 0  # calls of the backward pass that are running: its operations are not noted
        self.function: int | None = None  # the function with a backward pass of its own that is running
        self.module = module
        self.begin()

    def begin(self) -> None:
        """Begin a new tape."""
        self.tape = Tape()
        self._now: dict[int, int] = {}  # by id of a tensor: the number of its value as it is now
        self._stale: dict[int, list[int]] = {}  # by id: values of the same memory that were written since
        self._stored: dict[int, list[TapeValue]] = {}  # by storage

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let operations run unseen, which is faster: those of a backward pass. Where another mode of PyTorch stands
        above this one, they are seen."""
        if _get_current_dispatch_mode() is not self:
            yield
            return
        self.__exit__(None, None, None)
        try:
            yield
        finally:
            self.__enter__()

    # --- operations --------------------------------------------------------------------------------------------

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        written = [*self._written(func, args, kwargs)]
        for tensor in written:
            self._preserve(tensor)
        if self.backward:
            return func(*args, **kwargs)
        leaves = [each for each in written if each.is_leaf and each.requires_grad]
        if leaves:  # an update or an initialization of parameters: they are given values from then on
            for tensor in written:
                self._now.pop(id(tensor), None)
                self._stale.pop(id(tensor), None)
            return func(*args, **kwargs)
        arguments = tuple(self._noted(each) for each in args)
        keywords = {name: self._noted(each) for name, each in kwargs.items()}
        made = func(*args, **kwargs)
        outputs = [each for each in _flat(made) if isinstance(each, torch.Tensor)]
        if outputs:
            views = {
                id(each)
                for each, returned in zip(outputs, func._schema.returns, strict=False)
                if returned.alias_info is not None and not returned.alias_info.is_write
            }
            if len(outputs) > len(func._schema.returns):  # a list of views, or of new tensors
                views = {id(each) for each in outputs if func._schema.returns[0].alias_info is not None}
            numbers = tuple(self._made(each, id(each) in views) for each in outputs)
            self._op(str(func), arguments, keywords, numbers)
            for tensor, number in zip(outputs, numbers, strict=True):
                if any(tensor is each for each in written):
                    self._overwritten(tensor, number)
        return made

    def _op(
        self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any], outputs: tuple[int, ...]
    ) -> None:
        tracked = torch.is_grad_enabled()
        op = TapeOp(name, arguments, keywords, outputs, self.module(), self.function, tracked)
        self.tape.ops.append(op)

    @staticmethod
    def _written(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[Any]:
        """Yield the tensors that an operation writes to."""
        if not func._schema.is_mutable:
            return
        for k, argument in enumerate(func._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                given = args[k] if k < len(args) else kwargs.get(argument.name)
                yield from (each for each in _flat(given) if isinstance(each, torch.Tensor))

    # --- values ------------------------------------------------------------------------------------------------

    def value_of(self, tensor: Any) -> int:
        """Return the number of a tensor's value as it is now; note one that was not seen before as given."""
        key = id(tensor)
        number = self._now.get(key)
        if number is None or self.tape.values[number].storage != _storage(tensor):
            number = self._given(tensor)
        for by in self._stale.pop(key, ()):
            number = self._updated(tensor, number, by)
        value = self.tape.values[number]
        if tensor.requires_grad and value.node is None:
            value.differentiable = True
            value.node = node_of(tensor)
        return number

    def results(self, tensors: Sequence[Any], inputs: Sequence[int], name: str) -> tuple[int, ...]:
        """Return the numbers of what a function returns. Where it is computed by no operation that was seen, the
        function itself is noted as one."""
        known = len(self.tape.values)
        numbers = tuple(map(self.value_of, tensors))
        made = {number for op in self.tape.ops for number in op.outputs}
        unseen = tuple(number for number in numbers if number >= known and number not in made)
        if unseen:
            self._op(f"{FUNCTION}{name}", tuple({VALUE: each} for each in inputs), {}, unseen)
        return numbers

    def _given(self, tensor: Any) -> int:
        """Note a tensor that no operation computed here; one that shares another's memory and place is that."""
        others = () if _is_parameter(tensor) else self._stored.get(_storage(tensor), ())
        for other in others:
            if self._same_place(other.tensor, tensor) and self._now.get(id(other.tensor)) == other.number:
                number = self._made(tensor, True)
                self._op(ALIAS, ({VALUE: other.number},), {}, (number,))
                return number
        return self._made(tensor, False)

    @staticmethod
    def _same_place(a: Any, b: Any) -> bool:
        return (a.storage_offset(), a.shape, a.stride()) == (b.storage_offset(), b.shape, b.stride())

    def _made(self, tensor: Any, view: bool) -> int:
        """Note a new value, which the tensor has from now on."""
        number, storage = len(self.tape.values), _storage(tensor)
        dtype, parameter = str(tensor.dtype).removeprefix("torch."), _is_parameter(tensor)
        view = (
            view and tensor.is_floating_point()
        )  # whole numbers decide which rows there are, so they are kept
        value = TapeValue(number, tensor, storage, tuple(tensor.shape), dtype, view, parameter)
        self.tape.values.append(value)
        self._stored.setdefault(storage, []).append(value)
        self._now[id(tensor)] = number
        self._stale.pop(id(tensor), None)
        return number

    def _preserve(self, tensor: Any) -> None:
        """Copy the values that share a tensor's memory, before it is written to."""
        for value in self._stored.get(_storage(tensor), ()):
            if value.copied is None and not value.view:
                value.copied = value.tensor.detach().clone()

    def _overwritten(self, tensor: Any, number: int) -> None:
        """Note that all other views of a tensor's memory have changed."""
        for value in self._stored[_storage(tensor)]:
            if value.tensor is not tensor and not _apart(_place(value.tensor), _place(tensor)):
                writes = self._stale.setdefault(id(value.tensor), [])
                if not writes or writes[-1] != number:
                    writes.append(number)

    def _updated(self, tensor: Any, before: int, by: int) -> int:
        """Note what a view has become, in whose memory the value ``by`` was written."""
        written = self.tape.values[by]
        places = [_place(tensor), _place(written.tensor)]
        number = self._made(tensor, True)
        for value in (self.tape.values[before], written, self.tape.values[number]):
            value.differentiable |= value.tensor.requires_grad
        self._op(OVERWRITTEN, ({VALUE: before}, {VALUE: by}, *places), {}, (number,))
        return number

    def _noted(self, argument: Any) -> Any:
        """Return an argument as JSON can have it."""
        if isinstance(argument, torch.Tensor):
            return {VALUE: self.value_of(argument)}
        if isinstance(argument, (list, tuple)):
            return [self._noted(each) for each in argument]
        if isinstance(argument, float) and not math.isfinite(argument):
            return {NUMBER: str(argument)}
        if argument is None or isinstance(argument, (bool, int, float, str)):
            return argument
        return {NAMED: str(argument)}


def node_of(tensor: Any) -> tuple[int, int]:
    """Return the operation of autograd that a tensor's cotangent flows to."""
    if tensor.grad_fn is None:
        return LEAF, id(tensor)
    return tensor.grad_fn._sequence_nr(), tensor.output_nr


def _is_parameter(tensor: Any) -> bool:
    return isinstance(tensor, torch.nn.Parameter) or (tensor.is_leaf and tensor.requires_grad)


def _storage(tensor: Any) -> int:
    found: int = tensor.untyped_storage()._cdata
    return found


def _place(tensor: Any) -> list[list[int]]:
    """Return where a tensor's entries are in its memory: sizes, strides, and the first one."""
    return [list(tensor.shape), list(tensor.stride()), [tensor.storage_offset()]]


def _apart(a: list[list[int]], b: list[list[int]]) -> bool:
    """Return True if two views of one memory, by their places, surely share no entry: parts of one array that lie
    side by side."""
    (sizes_a, strides, (at_a,)), (sizes_b, other, (at_b,)) = a, b
    if strides != other or min(strides, default=1) < 1:
        return False
    if at_a > at_b:
        sizes_a, sizes_b, at_a, at_b = sizes_b, sizes_a, at_b, at_a
    left, axes = at_b - at_a, sorted(zip(strides, sizes_a, sizes_b, strict=True), reverse=True)
    for k, (stride, n, m) in enumerate(axes):
        start, left = divmod(left, stride)
        outer = axes[k - 1][0] if k else math.inf
        if (max(n, start + m) - 1) * stride >= outer:
            return False  # a part goes on in the next row
        if start >= n:
            return True
    return False


def _flat(given: Any) -> Iterator[Any]:
    if isinstance(given, (list, tuple)):
        for each in given:
            yield from _flat(each)
    else:
        yield given
