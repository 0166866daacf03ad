"""Certificates for tests."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.waits import GENEROUS
from tui_backprop.cost.race.scheduler import TLS_OPTIONS


def openssl(folder, command):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    subprocess.run(
        ["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=GENEROUS
    )


def make_certificate(folder):
    """Make cert.pem and key.pem in a folder, as the README says, with a smaller key."""
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=backprop-tui -keyout key.pem -out cert.pem",
    )


def files(folder):
    """The files of a folder, by option."""
    cert = str(folder / "cert.pem")
    return dict(zip(TLS_OPTIONS, (cert, cert, str(folder / "key.pem")), strict=True))
