"""Which module is running, by hooks that PyTorch calls around every module."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from tui_backprop.engine.frontends.recording.recorded import RecordedModule
from tui_backprop.record.errors import RecordError

COMPILED = "OptimizedModule"
REFUSED = {
    COMPILED: "torch.compile fuses operations; record the model that was compiled, or compile it later",
    "DataParallel": "DataParallel runs copies in threads; record its .module, on one device",
}


class ModuleCalls:
    """Follows the calls of modules; the number of the one that is running is ``current``: 0 is none of them. Names
    are those in the outermost module that is called, behind its class where there are several."""

    def __init__(self) -> None:
        self._roots: dict[int, str] = {}  # names of the outermost modules, by id
        self._names: dict[int, str] = {}  # of modules, by id
        self._held: list[Any] = []  # so that ids stay theirs
        self.tensors: dict[int, str] = {}  # names of parameters and buffers, by id
        self._hooks: list[Any] = []
        self.begin()

    def begin(self) -> None:
        """Begin to count anew."""
        self.calls = [RecordedModule("", "")]
        self._times: dict[int, int] = {}
        self._stack = [0]

    @property
    def current(self) -> int:
        """The number of the call that is running."""
        return self._stack[-1]

    def __enter__(self) -> ModuleCalls:
        self._hooks = [
            register_module_forward_pre_hook(self._enters),
            register_module_forward_hook(self._leaves, always_call=True),
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def name(self, model: Any, title: str = "") -> None:
        """Take the names of a model's modules, parameters and buffers."""
        if id(model) in self._names:
            return
        self._held.append(model)
        kind = type(model).__name__
        taken = [*self._roots.values()].count(kind)
        another = f"{kind}{taken + 1 if taken else ''}." if self._roots else ""
        before = title or another
        self._roots[id(model)] = kind
        for path, module in model.named_modules():
            self._names.setdefault(id(module), (before + path).removesuffix("."))
        for path, tensor in (*model.named_parameters(), *model.named_buffers()):
            self.tensors.setdefault(id(tensor), before + path)

    def _enters(self, module: Any, _: Any) -> None:
        kind = type(module).__name__
        if kind in REFUSED:
            raise RecordError(f"a {kind} cannot be recorded: {REFUSED[kind]}")
        if len(self._stack) == 1:
            self.name(module)
        times = self._times[id(module)] = self._times.get(id(module), 0) + 1
        name = self._names.get(id(module), kind)
        self._stack.append(len(self.calls))
        self.calls.append(RecordedModule(name, kind, self._stack[-2], times))

    def _leaves(self, module: Any, _: Any, output: Any) -> None:
        if len(self._stack) > 1:
            self._stack.pop()


def compiled(node: Any) -> bool:
    """Return whether an operation of autograd was made by torch.compile."""
    return "CompiledFunction" in str(node.name())
