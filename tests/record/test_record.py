"""What a recording holds, with PyTorch: its models are computed again, and what is special is recorded as it was."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

from tests.record.models import MODELS, mlp  # noqa: E402
from tests.record.recordings import record_model  # noqa: E402
from tui_backprop.cli.main import main  # noqa: E402
from tui_backprop.engine.analysis.rederived import rederived_of  # noqa: E402
from tui_backprop.engine.frontends.recording.naming import symbols  # noqa: E402
from tui_backprop.engine.frontends.recording.recorded import LEFT_OVER  # noqa: E402
from tui_backprop.files.recording import open_recording  # noqa: E402
from tui_backprop.record import RecordError, record  # noqa: E402
from tui_backprop.session.recorded_files import recorded_model  # noqa: E402
from tui_backprop.support.errors import FileError  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.bp"


def passed(path):
    """Compute a recording again; return its model after all agrees."""
    model = recorded_model(path)
    for each in rederived_of(model):
        assert each.agrees, each
    return model


def gradients(model):
    """The recorded gradients of the parameters by name."""
    return model.graph.views(model.recorded(np.zeros(model.parameters)).gradient)


def check_gradients(path, module):
    model = passed(path)
    found = gradients(model)
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(
            found[name], parameter.grad.float().numpy(), rtol=1e-6, atol=1e-7, err_msg=name
        )
    return model


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_table_is_computed_again(name, path):
    record_model(name, path)
    model = recorded_model(path)
    operations = rederived_of(model)
    assert all(each.agrees for each in operations)
    assert sum(each.has_row for each in operations) >= 0.8 * len(operations)


def test_names_are_those_of_the_model_and_blocks_those_of_its_modules(path):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with record(path):
        model(torch.randn(5, 3)).sum().backward()
    found = check_gradients(path, model)
    assert [*found.graph.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert [block.title for block in found.graph.blocks] == ["outside of modules", "0", "1", "2"]


def test_models_that_are_given_are_named(path):
    down, up = nn.Linear(3, 2), nn.Linear(2, 3)
    with record(path, model={"down": down, "up": up}):
        up(down(torch.randn(4, 3))).sum().backward()
    assert [*passed(path).graph.parameters] == ["down.weight", "down.bias", "up.weight", "up.bias"]


def test_operations_in_place_keep_the_numbers_from_before(path):
    model = nn.Linear(3, 4)
    with record(path):
        y = model(torch.randn(5, 3))
        z = y.exp().clone()
        z.mul_(2)
        z[0] = z[1] * 3
        z.add_(1)
        view = z[:, 1:]
        view.relu_()
        (z.tanh().sum() + y.sigmoid().sum()).backward()
    check_gradients(path, model)


def test_gradients_that_add_up_over_several_passes(path):
    model, x = mlp(nn.Tanh, 3, 4, 2), torch.randn(6, 3)
    with record(path):
        for part in x.split(2):
            model(part).pow(2).sum().backward()
    found = check_gradients(path, model)
    assert len(found.iteration.roots) == 3
    assert not found.iteration.notes


def test_gradients_that_were_not_cleared_are_noted(path):
    model, x = nn.Linear(3, 2), torch.randn(4, 3)
    model(x).sum().backward()
    before = model.weight.grad.clone()
    with record(path):
        model(x).pow(2).sum().backward()
    found = passed(path)
    assert LEFT_OVER in found.iteration.notes
    weight = found.iteration.values[found.recorded_graph.names.index("weight")]
    np.testing.assert_array_equal(found.held.arrays[weight.before], before.numpy())
    np.testing.assert_allclose(
        gradients(found)["weight"], (model.weight.grad - before).numpy(), rtol=1e-5, atol=1e-6
    )


def test_a_graph_that_is_retained_and_passed_twice(path):
    model, x = mlp(nn.ReLU, 3, 4, 1), torch.randn(5, 3)
    with record(path):
        loss = model(x).pow(2).mean()
        loss.backward(retain_graph=True)
        loss.backward()
    check_gradients(path, model)


def test_detach_and_no_grad_let_no_gradient_through(path):
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    with record(path, model={"first": first, "second": second}):
        h = first(torch.randn(5, 3))
        with torch.no_grad():
            scale = h.abs().mean()
        second(h.detach() / scale).pow(2).sum().backward()
    model = passed(path)
    assert first.weight.grad is None
    assert "first.weight" not in model.graph.differentiable
    assert "second.weight" in model.graph.differentiable
    assert any(op.primitive.detached for op in model.graph.ops)


def test_a_hook_that_changes_a_gradient_shows_where_it_is(path):
    model = mlp(nn.Tanh, 3, 4, 2)
    with record(path):
        h = model[:2](torch.randn(5, 3))
        h.register_hook(lambda g: g * 0.5)
        model[2](h).sum().backward()
    operations = rederived_of(recorded_model(path))
    assert all(each.agrees for each in operations)  # each by itself: what the hook did is between two of them
    found = gradients(recorded_model(path))
    np.testing.assert_allclose(found["0.weight"], model[0].weight.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_checkpoint_runs_again_is_recorded_once(path, reentrant):
    model, last = mlp(nn.Tanh, 3, 4, 4), nn.Linear(4, 2)
    x = torch.randn(5, 3, requires_grad=True)
    with record(path, model={"model": model, "last": last}):
        last(checkpoint(model, x, use_reentrant=reentrant)).pow(2).sum().backward()
    found = gradients(passed(path))
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(found[f"model.{name}"], parameter.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_bfloat16_is_kept_as_float32_with_its_true_type(path):
    model = nn.Linear(8, 4)
    with record(path), torch.autocast("cpu", torch.bfloat16):
        model(torch.randn(5, 8)).float().pow(2).mean().backward()
    found = passed(path)
    types = {value.dtype for value in found.iteration.values}
    assert types == {"float32", "bfloat16"}
    assert found.dtype == "float32"
    np.testing.assert_allclose(gradients(found)["weight"], model.weight.grad.numpy(), rtol=1e-6)


def test_shared_weights_add_their_gradients(path):
    model = nn.Linear(4, 4, bias=False)
    with record(path):
        model(torch.tanh(model(torch.randn(3, 4)))).pow(2).sum().backward()
    found = check_gradients(path, model)
    assert found.graph.uses["weight"] == 2
    assert [block.title for block in found.graph.blocks][1:] == ["Linear", "Linear (call 2)"]


def test_several_losses_are_one_sum(path):
    model, x = mlp(nn.Tanh, 3, 4, 2), torch.randn(5, 3)
    with record(path):
        y = model(x)
        torch.autograd.backward([y.pow(2).mean(), y], [None, torch.full_like(y, 0.1)])
    check_gradients(path, model)


def test_gradients_asked_for_with_autograd_grad(path):
    model, x = nn.Linear(3, 2), torch.randn(4, 3)
    with record(path):
        wanted = torch.autograd.grad(model(x).pow(2).sum(), [*model.parameters()])
    found = gradients(passed(path))
    np.testing.assert_allclose(found["weight"], wanted[0].numpy(), rtol=1e-6)


def test_several_steps_each_with_its_parameters(path):
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    weights = []
    with record(path) as r:
        for step in range(3):
            weights.append(model.weight.detach().clone())
            optimizer.zero_grad()
            model(torch.randn(4, 3)).pow(2).mean().backward()
            optimizer.step()
            r.step(10 * step)
    for step in range(3):
        model_then = recorded_model(path, 10 * step)
        assert all(each.agrees for each in rederived_of(model_then))
        value = model_then.graph.by_name["weight"]
        np.testing.assert_array_equal(value.read(), weights[step].numpy())
    assert recorded_model(path).iteration.number == 20


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_statistics_instead_of_arrays(path):
    model = mlp(nn.ReLU, 3, 4, 2)
    with record(path, keep="statistics"):
        model(torch.randn(5, 3)).sum().backward()
    header, arrays = open_recording(path)
    step = header.iterations[0]
    assert all(arrays[key].ndim == 0 for key in arrays if key != "recording")
    weight = step.values[[*symbols(step)].index("0.weight")]
    kept = step.statistics[weight.array]
    assert kept.largest == pytest.approx(model[0].weight.max().item())
    assert kept.rms == pytest.approx(model[0].weight.pow(2).mean().sqrt().item(), rel=1e-6)
    assert kept.nonfinite == 0
    with pytest.raises(FileError, match="keeps statistics of"):
        recorded_model(path)
    assert "kept as statistics" in run("trace", path)
    rows = json.loads(run("trace", path, "--json"))["values"]
    found = next(row for row in rows if row["name"] == "0.weight")
    assert found["gradient"]["rms"] == pytest.approx(
        model[0].weight.grad.pow(2).mean().sqrt().item(), rel=1e-6
    )


def test_statistics_count_what_is_not_finite(path):
    model = nn.Linear(3, 4)
    with record(path, keep="statistics"):
        (model(torch.ones(5, 3)).abs() * 1e38).exp().sum().backward()
    run("trace", path, code=1)
    assert any(each.nonfinite for each in open_recording(path)[0].iterations[0].statistics.values())


def test_the_arrays_of_some_modules_alone(path):
    model = mlp(nn.ReLU, 3, 4, 2)
    with record(path, keep=["2"]):
        model(torch.randn(5, 3)).sum().backward()
    header, arrays = open_recording(path)
    values = dict(zip(symbols(header.iterations[0]), header.iterations[0].values, strict=True))
    assert values["2.weight"].array in arrays
    assert values["0.weight"].array not in arrays
    assert header.kept == "2"


def test_arrays_beyond_the_limit_become_statistics_with_a_warning(path):
    model = mlp(nn.ReLU, 30, 40, 2)
    with pytest.warns(UserWarning, match="beyond the limit of 2 kB"), record(path, limit=2000):
        model(torch.randn(5, 30)).sum().backward()
    assert open_recording(path)[0].iterations[0].statistics


def test_the_last_steps_alone(path):
    model = nn.Linear(2, 1)
    with record(path, last=2) as r:
        for step in range(5):
            model.zero_grad()
            model(torch.full((1, 2), step + 1.0)).sum().backward()
            r.step(step)
    assert [each.number for each in open_recording(path)[0].iterations] == [3, 4]
    assert all(each.agrees for n in (3, 4) for each in rederived_of(recorded_model(path, n)))
    assert gradients(recorded_model(path, 3))["weight"].tolist() == [[4.0, 4.0]]
    with pytest.raises(ValueError, match="at least one step"):
        record(path, last=0)


def test_the_first_step_that_is_not_finite_is_opened(path):
    model = nn.Linear(2, 1)
    with record(path) as r:
        for step in range(4):
            model.zero_grad()
            model(torch.ones(3, 2)).mul(1e38 if step > 1 else 1).mul(1e10).sum().backward()
            r.step(step)
    found = recorded_model(path)
    assert found.iteration.number == 2
    assert found.iteration.bad
    text = run("check", path, code=1)
    assert "every operation that was computed again agrees" in text
    assert "FAILED: numbers are not finite" in text
    assert "passed" in run("check", path, "--iteration", 1)
    assert "multiply in outside of modules overflows float32" in run("trace", path, code=1)


def test_parameters_that_no_gradient_reaches_have_zeros_and_a_reason(path):
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    with record(path, model={"first": first, "second": second}):
        second(first(torch.randn(5, 3)).data).pow(2).sum().backward()
    found = recorded_model(path)
    assert not gradients(found)["first.weight"].any()
    assert "first.weight and first.bias get no gradient: the loss depends on them through detach" in run(
        "check", path
    )
    assert "in first" in run("trace", path)
    assert run("blame", path)


@pytest.mark.parametrize(
    ("wrap", "words"),
    [
        (torch.compile, "torch.compile fuses operations"),
        (nn.DataParallel, "DataParallel runs copies in threads"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_what_to_do(path, wrap, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = wrap(nn.Linear(3, 2))
        with pytest.raises(RecordError, match=words), record(path):
            model(torch.randn(4, 3)).sum().backward()
    assert not path.exists()


def test_nothing_to_record_is_said(path):
    with pytest.raises(RecordError, match="no backward pass ran"), record(path):
        nn.Linear(3, 2)(torch.randn(4, 3))
    assert not path.exists()


def test_an_exception_keeps_the_steps_before_it(path):
    model = nn.Linear(3, 1)

    def steps(r):
        for step in range(5):
            model.zero_grad()
            model(torch.randn(4, 3)).sum().backward()
            r.step(step)
            if step == 2:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), record(path) as r:
        steps(r)
    assert [each.number for each in recorded_model(path).held.header.iterations] == [0, 1, 2]


def test_everything_is_as_before_afterwards(path):
    before = torch.autograd.backward, torch.autograd.grad, torch.autograd.Function.__dict__["apply"]
    with record(path):
        nn.Linear(3, 1)(torch.randn(4, 3)).sum().backward()
    after = torch.autograd.backward, torch.autograd.grad, torch.autograd.Function.__dict__["apply"]
    assert all(a is b for a, b in zip(before, after, strict=True))


def test_recording_changes_no_number():
    torch.manual_seed(1)
    plain, x = mlp(nn.GELU, 6, 8, 3, norm=nn.LayerNorm), torch.randn(4, 6)
    F.cross_entropy(plain(x), torch.tensor([0, 1, 2, 0])).backward()
    torch.manual_seed(1)
    seen, x = mlp(nn.GELU, 6, 8, 3, norm=nn.LayerNorm), torch.randn(4, 6)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, record(f"{folder}/run.bp"):
        F.cross_entropy(seen(x), torch.tensor([0, 1, 2, 0])).backward()
    for a, b in zip(plain.parameters(), seen.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)
