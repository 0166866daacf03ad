"""After the first one, a training step of the lesson's network makes no arrays."""

from __future__ import annotations

import ctypes
from importlib import import_module

import numpy as np
import pytest

from tui_backprop.engine.initialise import initial_parameters
from tui_backprop.engine.optimisers import Optimiser
from tui_backprop.engine.primitives import ELEMENTWISE
from tui_backprop.engine.program import Program
from tui_backprop.engine.schedules import OptimiserSpec
from tui_backprop.engine.spec import NetworkSpec

ALLOCATE = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
ALLOCATE_ZEROS = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)


class Handler(ctypes.Structure):
    """PyDataMem_Handler of numpy's C API (NEP 49): what the data of every array are allocated with."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("ctx", ctypes.c_void_p),
        ("malloc", ALLOCATE),
        ("calloc", ALLOCATE_ZEROS),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


NUMBER = 16  # bytes: where a Python float meets an array, numpy makes an array of that one number
LIVING: list[Handler] = []  # an array keeps only the address of the handler it was made with


@pytest.fixture(scope="module")
def allocated():
    """A function that calls another and lists the bytes of each array's data made meanwhile.

    numpy's own handler is set again with counting in front, so what it frees at once is counted too, which
    tracemalloc would not see. PyDataMem_SetHandler and _GetHandler are numbers 304 and 305 of the C API.
    """
    pointer, capsule = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    capsule.restype, capsule.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    api = import_module("numpy._core._multiarray_umath")._ARRAY_API
    table = (ctypes.c_void_p * 306).from_address(pointer(api, None))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[304])
    default = ctypes.PYFUNCTYPE(ctypes.py_object)(table[305])()
    own = Handler.from_address(pointer(default, b"mem_handler"))
    counting, sizes = Handler.from_buffer_copy(own), []

    def malloc(ctx, size):
        sizes.append(size)
        return own.malloc(ctx, size)

    def calloc(ctx, number, size):
        sizes.append(number * size)
        return own.calloc(ctx, number, size)

    counting.malloc, counting.calloc = ALLOCATE(malloc), ALLOCATE_ZEROS(calloc)
    LIVING.append(counting)
    handler = capsule(ctypes.addressof(counting), b"mem_handler", None)

    def run(step):
        sizes.clear()
        set_handler(handler)
        try:
            step()
        finally:
            set_handler(default)
        return sizes.copy()

    return run


def fed(spec, batch):
    rng = np.random.default_rng(0)
    program = Program(spec, batch, initial_parameters(spec))
    x = rng.random((batch, spec.layers[0])).astype(spec.dtype)
    return program, x, rng.integers(spec.layers[-1], size=batch)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("batch", [1, 32, 256])
def test_a_training_step_after_the_first_makes_no_arrays(allocated, batch, optimiser):
    program, x, labels = fed(NetworkSpec(), batch)
    rule = Optimiser(OptimiserSpec(optimiser), 0.01, program.spec.parameters, program.dtype)
    program.feed(x, labels)

    def step():
        program.forward()
        program.backward()
        rule.apply(program.parameters, program.gradient, 0)

    step()
    assert max(allocated(step), default=0) <= NUMBER


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_forward_and_backward_pass_and_feeding_make_none_at_all(allocated, batch):
    program, x, labels = fed(NetworkSpec(), batch)

    def step():
        program.forward()
        program.backward()

    program.feed(x, labels)
    step()
    assert allocated(step) == []
    assert sum(allocated(lambda: program.feed(x, labels))) <= 4 * NUMBER


@pytest.mark.parametrize("loss", ["cross-entropy", "binary-cross-entropy", "mse", "half-squares"])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_no_kind_of_network_makes_arrays_larger_than_a_number(allocated, activation, loss):
    spec = NetworkSpec(
        (30, 40, 40, 20), activation, loss, layer_norm=True, residual=True, dropout=0.2, l2=0.1
    )
    program, x, labels = fed(spec, 16)
    program.feed(x, labels if loss == "cross-entropy" else np.eye(20, dtype=np.float32)[labels])

    def step():
        program.forward()
        program.backward()

    step()
    assert max(allocated(step), default=0) <= NUMBER


@pytest.mark.parametrize("temporary", [lambda a: a + a, lambda a: np.empty(1), lambda a: a[:1].copy()])
def test_a_temporary_that_is_freed_at_once_is_counted(allocated, temporary):
    program, x, labels = fed(NetworkSpec((8, 8, 4)), 2)
    program.feed(x, labels)
    program.forward()
    assert allocated(program.forward) == []

    def planted(y, *arguments):
        rule(y, *arguments)
        temporary(y)

    rule, arguments = program._forward[0]
    program._forward[0] = planted, arguments
    assert len(allocated(program.forward)) == 1
