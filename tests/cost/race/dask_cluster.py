"""A small Dask cluster, for tests: ``python dask_cluster.py FOLDER [ADDRESS NAME ...]``.

FOLDER has cert.pem and key.pem. Starts a scheduler with one worker; or, for the scheduler at ADDRESS, a worker of
each NAME, which sends what LIES says. Prints the addresses, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})

import distributed
import numpy as np
from distributed.security import Security

from tui_backprop.cost.race import shares

LIES = {
    "text": lambda values, seconds: "a text",
    "zero": lambda values, seconds: (values + 1, 0.0),
    "one": lambda values, seconds: (values[:1], seconds),
    "nan": lambda values, seconds: (np.full(len(values), np.nan), seconds),
    "error": lambda values, seconds: 1 // 0,
}


def lying(honest):
    def computed(task, share):
        lie = LIES.get(distributed.get_worker().name, lambda *outcome: outcome)
        return lie(*honest(task, share))

    computed.__module__, computed.__qualname__ = honest.__module__, honest.__qualname__
    return computed


async def main(folder, address=None, *names):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    files = {f"tls_{role}_cert": cert for role in ("scheduler", "worker", "client")}
    files |= {name.replace("cert", "key"): key for name in files}
    security = Security(tls_ca_file=cert, require_encryption=True, **files)
    place = {"host": "127.0.0.1", "security": security, "dashboard": False}
    started = []
    if address is None:
        started.append(
            distributed.Scheduler(protocol="tls", port=0, dashboard_address="127.0.0.1:0", **place)
        )
        await started[0]
        address, names = started[0].address, ("honest",)
    own = {"nthreads": 1, "local_directory": folder, **place}
    started += [await distributed.Worker(address, name=name, **own) for name in names]
    print(*(each.address for each in started), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    shares.computed = lying(shares.computed)
    asyncio.run(main(*sys.argv[1:]))
