"""Count the arrays that numpy allocates, in its own allocator (Linux, macOS and Windows; numpy 2)."""

from __future__ import annotations

import ctypes
from importlib import import_module

ALLOCATE = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
ALLOCATE_ZEROS = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)


class Handler(ctypes.Structure):
    """PyDataMem_Handler of numpy's C API (NEP 49): the functions that allocate the data of arrays."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("ctx", ctypes.c_void_p),
        ("malloc", ALLOCATE),
        ("calloc", ALLOCATE_ZEROS),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


class CountedArrays:
    """The sizes of all allocations of array data within the context, including those freed at once.

    tracemalloc's snapshot knows only blocks that live, and its peak is of all domains together. So they are
    counted where numpy reports them to tracemalloc: its default handler is set again, with a malloc and a
    calloc that write down the size first.
    """

    def __init__(self) -> None:
        core = import_module("numpy._core._multiarray_umath")
        self.sizes: list[int] = []
        api = ctypes.pythonapi
        pointer, capsule = api.PyCapsule_GetPointer, api.PyCapsule_New
        pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
        capsule.restype = ctypes.py_object
        capsule.argtypes = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
        # PyDataMem_SetHandler and _GetHandler have the places 304 and 305 in the table of the C API.
        table = (ctypes.c_void_p * 306).from_address(pointer(core._ARRAY_API, None))
        self._set = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[304] or 0)
        self._default = ctypes.PYFUNCTYPE(ctypes.py_object)(table[305] or 0)()
        default = Handler.from_address(pointer(self._default, b"mem_handler"))

        def malloc(ctx: int, size: int) -> int:
            self.sizes.append(size)
            return int(default.malloc(ctx, size))

        def calloc(ctx: int, number: int, size: int) -> int:
            self.sizes.append(number * size)
            return int(default.calloc(ctx, number, size))

        self._handler = Handler.from_buffer_copy(default)
        self._handler.malloc, self._handler.calloc = ALLOCATE(malloc), ALLOCATE_ZEROS(calloc)
        self._counting = capsule(ctypes.addressof(self._handler), b"mem_handler", None)

    def __enter__(self) -> list[int]:
        self.sizes.clear()
        self._set(self._counting)
        return self.sizes

    def __exit__(self, *_: object) -> None:
        self._set(self._default)
