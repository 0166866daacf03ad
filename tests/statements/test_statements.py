"""What is said of random configurations is so: each number and verdict against an independent computation.

CONFIGURATIONS=2000 .venv/bin/python -m pytest tests/statements
"""

from __future__ import annotations

import os

import pytest

from tests.statements import panels, reports
from tests.statements.configurations import configuration
from tests.statements.reference import ACTIVATIONS
from tests.statements.speech import Speech

CONFIGURATIONS = int(os.environ.get("CONFIGURATIONS", "200"))
CHUNKS = 10
CHECKS = (*reports.CHECKS, *panels.CHECKS)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_said_is_so(chunk):
    for seed in range(chunk, CONFIGURATIONS, CHUNKS):
        speech = Speech(configuration(seed))
        for check in CHECKS:
            try:
                check(speech)
            except Exception as error:
                raise AssertionError(
                    f"{check.__name__} of configuration {seed}, {' '.join(speech.configuration.arguments)},"
                    f" after {speech.configuration.updates} updates: {error}"
                ) from error


def test_the_configurations_are_of_every_kind():
    """Every activation, loss and option, both precisions, and numbers that are not finite, each often enough."""
    drawn = [Speech(configuration(seed)) for seed in range(300)]
    specs = [speech.session.network for speech in drawn]
    for name in ACTIVATIONS:
        assert sum(name in spec.activations for spec in specs) > 10, name
    assert sum(spec.dtype == "float32" for spec in specs) > 100
    assert sum(speech.iteration.bad is not None for speech in drawn) > 10
