"""The address of a Dask scheduler, and the files for TLS."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui_backprop.files.opener import read_named
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import quoted

MAX_CERTIFICATE = 2**20  # bytes
MAX_REASON = 200  # characters
ADDRESS = re.compile(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")
TLS_OPTIONS = ("tls_ca", "tls_cert", "tls_key")


@dataclass(frozen=True)
class Scheduler:
    """Where a scheduler is: ``host`` (an IPv6 address in brackets), ``port``, and the files for TLS, if it is used:
    certificates to trust, own certificate and its key."""

    host: str
    port: int
    tls: tuple[str, str, str] | None = None

    @property
    def address(self) -> str:
        return f"{'tls' if self.tls else 'tcp'}://{self.host}:{self.port}"

    def command(self, program: str) -> str:
        """Return the command that starts a ``program`` of Dask for it, scheduler or worker."""
        files = "".join(
            f" --{option} {shlex.quote(path)}"
            for option, path in zip(("tls-ca-file", "tls-cert", "tls-key"), self.tls or (), strict=False)
        )
        place = f"{self.address} --nthreads 1" if program == "worker" else f"--host {self.address}"
        return f"dask {program} {place} --no-dashboard --dashboard-address 127.0.0.1:0{files}"


def scheduler_at(address: str, files: Mapping[str, str | None]) -> Scheduler:
    """Validate an address and the files for TLS, by option. Raises InputError, naming the option."""
    found = ADDRESS.fullmatch(address.strip())
    if found is None or not 0 < int(found[3]) < 2**16:
        raise InputError(
            "scheduler",
            f"invalid address {quoted(address)}; use tls://HOST:PORT or tcp://HOST:PORT, as in tls://127.0.0.1:8786",
        )
    given = [files[name] for name in TLS_OPTIONS]
    if found[1] != "tls":
        for name, path in zip(TLS_OPTIONS, given, strict=True):
            if path is not None:
                raise InputError(_option(name), "requires --scheduler tls://HOST:PORT")
        return Scheduler(found[2], int(found[3]))
    for name, path in zip(TLS_OPTIONS, given, strict=True):
        if path is None:
            raise InputError(_option(name), "is required for tls://; give a file in PEM format")
        _check_file(_option(name), path)
    ca, certificate, key = (os.path.abspath(str(path)) for path in given)
    _check_certificates(ca, certificate, key)
    return Scheduler(found[2], int(found[3]), (ca, certificate, key))


def _option(name: str) -> str:
    return name.replace("_", "-")


def _check_file(option: str, path: str) -> None:
    """Raise InputError for what cannot be read, or is too large for a file in PEM format."""
    try:
        read_named(Path(path), MAX_CERTIFICATE, pipes=False)  # it is read again by others
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such path"
        raise InputError(option, f"cannot read {quoted(path)}: {why}") from None


def _check_certificates(ca: str, certificate: str, key: str) -> None:
    """Load the files as Dask will. Raises InputError for the first that cannot be used."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise InputError("tls-ca", f"{quoted(ca)} has no certificate: {reason_of(error)}") from None
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # never ask on the terminal
    except (OSError, ValueError) as error:
        raise InputError(
            "tls-cert",
            f"{quoted(certificate)} and {quoted(key)} are no certificate with its unencrypted key:"
            f" {reason_of(error)}",
        ) from None


def reason_of(error: BaseException) -> str:
    text = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return printable(text or type(error).__name__, MAX_REASON)
