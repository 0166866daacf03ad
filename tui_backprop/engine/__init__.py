"""The engine: numpy only. It knows nothing of terminals.

Read it in this order: ``spec`` (what a network is), ``primitives`` (the table of rules), ``program``
(the list of operations, run down and up), ``trace`` (the walk along that list), ``worked`` (one unit's
arithmetic).
"""
