"""Paths and multiplications against a graph of single units, in which every path is walked and multiplied out."""

from __future__ import annotations

from collections import defaultdict
from math import prod

import numpy as np
import pytest

from tui_backprop.cost.accounting import path_counts as reuse
from tui_backprop.cost.accounting.path_counts import Paths, path_counts, paths
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.graph import Graph

TINY = [
    NetworkSpec((2, 3, 2), "relu", dtype="float64"),
    NetworkSpec((2, 2, 3, 2), "tanh", "half-squares", dtype="float64"),
    NetworkSpec((1, 1, 1), "tanh", "mse", dtype="float64", bias=False),
    NetworkSpec((3, 2), dtype="float64"),
    NetworkSpec((2, 3, 3, 3, 2), "relu,tanh,tanh", dtype="float64", residual=True),
    NetworkSpec((3, 3, 3, 2), "tanh", dtype="float64", residual=True, layer_norm=True),
    NetworkSpec((2, 4, 3), "tanh", dtype="float64", dropout=0.5),
    NetworkSpec((2, 3, 3, 2), "tanh", "half-squares", dtype="float64", layer_norm=True, dropout=0.3),
    NetworkSpec((2, 3, 2), "tanh", dtype="float64", l2=0.2),
]
EACH = pytest.mark.parametrize("spec", TINY, ids=lambda spec: f"{spec.layers} {spec.activation}")


# --- every path, walked -----------------------------------------------------------------------------------


def graph(spec, iteration):
    """Edges from unit to unit, and from a parameter to a unit: each with its factor, None where it hands on."""
    edges, width = defaultdict(list), spec.layers
    w = {name: iteration.tensor(name) for name in spec.graph.parameters}
    came = "x"
    for k in range(1, spec.depth + 1):
        units, inputs = range(width[k]), range(width[k - 1])
        a = iteration.tensor(came)[0]
        for i, j in np.ndindex(w[f"W{k}"].shape):
            edges[f"W{k}", i, j].append(((f"z{k}", j), float(a[i])))
            if came != "x":
                edges[came, i].append(((f"z{k}", j), float(w[f"W{k}"][i, j])))
        for j in units if spec.bias else ():
            edges[f"b{k}", j].append(((f"z{k}", j), None))
        if k == spec.depth:
            break
        at, before = f"z{k}", came
        if spec.layer_norm:
            z = iteration.tensor(f"z{k}")[0]
            spread = np.sqrt(z.var() + 1e-5)
            v = (z - z.mean()) / spread
            for i in units:
                edges[f"γ{k}", i].append(((f"n{k}", i), float(v[i])))
                edges[f"β{k}", i].append(((f"n{k}", i), None))
                for j in units:
                    slope = ((i == j) - 1 / len(z) - v[i] * v[j] / len(z)) / spread * w[f"γ{k}"][j]
                    edges[at, i].append(((f"n{k}", j), float(slope)))
            at = f"n{k}"
        z = iteration.tensor(at)[0]
        slopes = 1 - np.tanh(z) ** 2 if spec.activations[k - 1] == "tanh" else (z > 0) * 1.0
        for j in units:
            edges[at, j].append(((f"h{k}", j), float(slopes[j])))
        at = f"h{k}"
        if spec.dropout:
            for j in units:
                edges[at, j].append(((f"r{k}", j), float(iteration.tensor(f"m{k}")[0, j])))
            at = f"r{k}"
        came = f"a{k}"  # of this test's own: what is handed on
        for j in units:
            edges[at, j].append(((came, j), None))
        if spec.adds_input(k):
            for j in inputs:
                edges[before, j].append(((came, j), None))
    z, t = iteration.tensor(f"z{spec.depth}")[0], iteration.tensor("t")[0]
    p = np.exp(z) / np.exp(z).sum()
    p[t if spec.loss == "cross-entropy" else 0] -= spec.loss == "cross-entropy"
    slopes = {"cross-entropy": p, "half-squares": z - t, "mse": 2 * (z - t) / len(z)}[spec.loss]
    for j in range(width[-1]):
        edges[f"z{spec.depth}", j].append((("L",), float(slopes[j])))
    return edges


def walked(edges, start):
    """The factors of each path from here to the loss."""
    if start == ("L",):
        return [()]
    return [
        ((factor,) if factor is not None else ()) + rest
        for to, factor in edges[start]
        for rest in walked(edges, to)
    ]


@EACH
def test_paths_and_multiplications_are_those_of_every_path_walked(calculus, spec):
    iteration = calculus.take(calculus.problem(spec, 1))
    edges, all_paths, all_multiplications = graph(spec, iteration), 0, 0
    for name, shape in spec.graph.parameters.items():
        for index in np.ndindex(shape):
            found = walked(edges, (name, *index))
            multiplications = sum(len(factors) - 1 for factors in found)
            counted = paths(spec, name)
            assert (counted.paths, counted.multiplications) == (len(found), multiplications)
            all_paths += len(found)
            all_multiplications += multiplications
    assert (counted.all_paths, counted.all_multiplications) == (all_paths, all_multiplications)


@EACH
def test_the_products_along_all_paths_add_up_to_the_gradient(calculus, spec):
    iteration = calculus.take(calculus.problem(spec, 1, seed=2))
    edges = graph(spec, iteration)
    for name, shape in spec.graph.parameters.items():
        penalty = spec.l2 * iteration.tensor(name) if name[0] == "W" else np.zeros(shape)
        for index in np.ndindex(shape):
            total = sum(map(prod, walked(edges, (name, *index)))) + penalty[index]
            assert total == pytest.approx(iteration.tensor(f"d{name}")[index], rel=1e-12, abs=1e-14)


class Factor:
    """A number that counts what it is multiplied with."""

    multiplied = 0

    def __init__(self, value):
        self.value = value

    def __mul__(self, other):
        Factor.multiplied += 1
        return Factor(self.value * other.value)

    def __add__(self, other):
        return Factor(self.value + other.value)


@pytest.mark.parametrize("spec", [s for s in TINY if not s.layer_norm], ids=str)
def test_backprop_takes_as_many_multiplications_as_a_walk_back_that_counts_them(calculus, spec):
    """Once for each edge between units, from the loss back: that is what reuse is."""
    iteration = calculus.take(calculus.problem(spec, 1))
    edges = graph(spec, iteration)
    Factor.multiplied, reached = 0, {}

    def slope(node):
        if node not in reached:
            terms = []
            for to, factor in edges[node]:
                if to == ("L",):
                    terms.append(Factor(factor))
                else:
                    terms.append(slope(to) if factor is None else slope(to) * Factor(factor))
            reached[node] = terms[0]
            for term in terms[1:]:
                reached[node] += term
        return reached[node]

    for name, shape in spec.graph.parameters.items():
        for index in np.ndindex(shape):
            expected = (
                iteration.tensor(f"d{name}")[index]
                - spec.l2 * (name[0] == "W") * iteration.tensor(name)[index]
            )
            assert slope((name, *index)).value == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert paths(spec, "W1").backprop == Factor.multiplied


def test_a_normalization_goes_back_with_four_products_a_unit_and_not_one_a_pair():
    plain, normalized = NetworkSpec((5, 8, 3), "tanh"), NetworkSpec((5, 8, 3), "tanh", layer_norm=True)
    more = paths(normalized, "W1").backprop - paths(plain, "W1").backprop
    assert more == 4 * 8 + 2 + 8  # γ, v, v, deviation; two means; and dγ
    assert paths(normalized, "W1").paths == 8 * paths(plain, "W1").paths
    assert paths(normalized, "γ1").paths == paths(plain, "b1").paths


# --- known numbers ----------------------------------------------------------------------------------------


def test_a_first_weight_of_the_lessons_network_has_655_360_paths():
    found = paths(NetworkSpec(), "W1")
    assert found.paths == 256 * 256 * 10 == 655_360
    assert found.multiplications == 7 * 655_360  # x, f', W2, f', W3, f', W4, dL/dz: eight factors
    assert found.backprop == 334_336 + 133_632 + 3 * 256


@pytest.mark.parametrize(
    ("tensor", "each", "factors"),
    [
        ("W4", 1, 2),
        ("b4", 1, 1),
        ("W3", 10, 4),
        ("b3", 10, 3),
        ("W2", 2560, 6),
        ("b2", 2560, 5),
        ("b1", 655_360, 7),
    ],
)
def test_the_nearer_the_loss_the_fewer_paths(tensor, each, factors):
    found = paths(NetworkSpec(), tensor)
    assert (found.paths, found.multiplications) == (each, each * (factors - 1))


def test_all_parameters_together_are_the_sum_over_tensors():
    spec = NetworkSpec()
    sizes = {
        "W1": 200_704,
        "b1": 256,
        "W2": 65_536,
        "b2": 256,
        "W3": 65_536,
        "b3": 256,
        "W4": 2_560,
        "b4": 10,
    }
    each = {name: paths(spec, name) for name in sizes}
    for found in each.values():
        assert found.all_paths == sum(sizes[name] * one.paths for name, one in each.items())
        assert found.all_multiplications == sum(sizes[n] * one.multiplications for n, one in each.items())


def test_paths_are_counted_whatever_the_numbers_are(calculus):
    """Those through a dead unit are there, and their products are 0."""
    spec = NetworkSpec((2, 3, 2), "relu", dtype="float64")
    given = calculus.problem(spec, 1)
    given.parameters[7] = -100.0  # b1[1]
    iteration = calculus.take(given)
    assert iteration.tensor("z1")[0, 1] < 0
    products = list(map(prod, walked(graph(spec, iteration), ("W1", 0, 1))))
    assert len(products) == paths(spec, "W1").paths == 2
    assert products == [0, 0]


def test_a_residual_connection_doubles_the_paths_around_a_layer():
    """h + a: to each unit of the next layer through its one weight, or past it."""
    spec = NetworkSpec((4, 4, 4, 4, 3), "tanh", residual=True)
    assert [paths(spec, f"b{k}").paths for k in (4, 3, 2, 1)] == [1, 3, 3 * 5, 3 * 5 * 5]
    assert [path_counts(spec.graph)[f"a{k}"].paths for k in (3, 2, 1)] == [3, 3 * 5, 3 * 5 * 5]


def test_a_network_so_deep_that_no_float_holds_its_paths_is_counted_exactly():
    found = paths(NetworkSpec((3, *[8] * 400, 5), "tanh"), "W1")
    assert found.paths == 8**399 * 5
    assert found.multiplications == found.paths * (2 * 400 + 1)
    with pytest.raises(OverflowError):
        float(found.paths)


def test_the_paths_of_a_deep_network_are_found_in_one_walk(monkeypatch):
    walks, shapes, real, real_shapes = [], [], reuse.path_counts, Graph.shapes
    monkeypatch.setattr(reuse, "path_counts", lambda graph: walks.append(graph) or real(graph))
    monkeypatch.setattr(Graph, "shapes", lambda *of: shapes.append(of) or real_shapes(*of))
    spec = NetworkSpec((2, *[3] * 60, 2), "tanh")
    first = paths(spec, "W1")
    assert (len(walks), len(shapes)) == (1, 2)
    assert paths(spec, "b9").all_paths == first.all_paths
    assert len(walks) == 1


def test_what_is_no_parameter_has_no_paths():
    for name in ("W9", "z1", "x", "", "γ1"):
        with pytest.raises(KeyError):
            paths(NetworkSpec(), name)


def test_one_layer_has_one_path_for_each_parameter():
    assert paths(NetworkSpec((3, 2)), "W1") == Paths(1, 1, 8, 6, 6)
    assert paths(NetworkSpec((3, 2)), "b1") == Paths(1, 0, 8, 6, 6)
