"""The engine: numpy only. It knows nothing of terminals.

Read it in this order: ``network/spec`` (what a network is), ``primitives`` (the table of rules), ``network/program``
(the list of operations, run forward and backward), ``explain/walk`` (the steps along that list),
``explain/receipts`` (the arithmetic of one unit).
"""
