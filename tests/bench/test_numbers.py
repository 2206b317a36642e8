"""The benchmark's arithmetic, on numbers made up."""

import numpy as np
import pytest

from rnn_ref.bench import cases, markdown
from rnn_ref.bench.cases import geometric_mean
from rnn_ref.bench.cliffs import cliffs
from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.contenders.variants import predicted
from rnn_ref.bench.goals import goals
from rnn_ref.bench.process import CONTENDERS, Process
from rnn_ref.bench.random import drawn
from rnn_ref.bench.scaling import exponent, grow, scaled
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import best_peer, in_turn, ratio, spread, to_peers


def products(*shapes):
    return sum(2 * n * k * m for n, k, m in shapes)


@pytest.mark.parametrize(("cell", "G"), [("SimpleRNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_operations_are_those_of_the_matrix_products(cell, G):
    B, T, F, H = 2, 3, 5, 7
    forward = [(B * T, F, G * H), (B * T, H, G * H)]  # x W, h U
    back = [(B * T, G * H, H), (F, B * T, G * H), (H, B * T, G * H)]  # dz Uᵀ, xᵀ dz, hᵀ dz
    problem = Problem(cell, B, T, F, H)
    assert problem.operations(training=False) == products(*forward)
    assert problem.operations(training=True) == products(*forward, *back)
    to_input = (B * T, G * H, F)  # dz Wᵀ
    assert problem.operations(training=True, input_gradient=True) == products(*forward, *back, to_input)

    above = [(B * T, H, G * H)] * 2 + [(B * T, G * H, H)] * 2 + [(H, B * T, G * H)] * 2
    plain = problem.operations(training=True)
    assert predicted("stacked", problem, True) == pytest.approx((plain + products(*above)) / plain)
    assert predicted("stacked", problem, False) == pytest.approx(1 + products(*above[:2]) / products(*forward))


def test_turns_are_taken():
    order = []

    def run(name, seconds):
        return lambda: order.append(name) or seconds

    times = in_turn({"a": run("a", 2.0), "b": run("b", None)}, rounds=3)
    assert order == ["a", "b"] * 3
    assert times == {"a": spread([2.0, 2.0, 2.0])}


def test_ratios_are_taken_within_a_round():
    """The machine was twice as slow in the second round, for both."""
    assert ratio(spread([3.0, 6.0, 3.0]), spread([1.0, 2.0, 1.0]))["greatest"] == 3.0


def entry(case, what, ours, torch, keras, share=0.5, cell="GRU"):
    times = {"rnn_ref": ours, "PyTorch": torch, "Keras (JAX)": keras, "NumPy loop": 0.1}
    times = {name: spread([time]) for name, time in times.items()}
    return {
        "cell": cell,
        "case": case,
        "what": what,
        "times": times,
        "ratios": to_peers(times),
        "share_of_peak": share,
    }


def test_best_peers_and_their_mean():
    results = [entry([1, 2, 3, 4], "train", 1.0, 2.0, 3.0), entry([5, 6, 7, 8], "train", 2.0, 20.0, 16.0)]
    assert best_peer(results[1])[0] == "Keras (JAX)"  # the NumPy loop is none
    assert best_peer(results[1])[1]["median"] == 8.0
    assert best_peer(results[1], "PyTorch")[1]["median"] == 10.0
    assert geometric_mean(results, "train") == pytest.approx(4.0)  # of 2 and 8
    assert geometric_mean(results, "train", "PyTorch") == pytest.approx(20**0.5)
    assert np.isnan(geometric_mean(results, "infer"))


def test_goals():
    def reached(report):
        return {goal.text: (goal.reached, goal.met) for goal in goals(report)}

    small, large = [1, 2, 3, 4], [5, 6, 7, 8]
    found = reached(
        {
            "cases": [
                entry(small, "infer", 1.0, 2.0, 3.0),
                entry(large, "infer", 1.0, 0.96, 3.0, share=0.85),
                entry(small, "train", 1.0, 2.0, 9.0),
                entry(large, "train", 1.0, 0.96, 3.0, share=0.7),
            ]
        }
    )
    assert found["inference, best peer / rnn_ref: least (GRU, 1,2,3,4; PyTorch)"] == (2.0, True)
    assert found["inference, best peer / rnn_ref, largest case: least (GRU, 5,6,7,8; PyTorch)"] == (0.96, True)
    assert found["training step, best peer / rnn_ref: least (GRU, 5,6,7,8; PyTorch)"] == (0.96, False)
    assert found["training step, best Keras backend / rnn_ref: geometric mean"] == (pytest.approx(27**0.5), True)
    assert found["inference, largest case, GRU: share of the peak"] == (0.85, True)
    assert found["training step, largest case, GRU: share of the peak"] == (0.7, False)

    memory = {"rnn_ref": 100.0, "PyTorch": 101.0, "Keras (TensorFlow)": 299.0}
    inference = [{"cell": "GRU", "outputs": "last", "case": [1, T, 1, 1], "bytes": 1e6 * T} for T in (1, 3)]
    (torch, tensorflow, growth) = goals({"memory": {"fit": memory, "inference": inference}})
    assert torch.met
    assert not tensorflow.met
    assert growth.reached == 2.0


def two_processes(ours):
    """Rounds of two processes, in the second of which the whole machine was twice as slow."""
    first = {"rnn_ref": [1.0, 1.0, 9.0], "PyTorch": [2.0] * 3, "NumPy loop": [50.0] * 3, "product": [0.5] * 3}
    second = {"rnn_ref": [ours] * 3, "PyTorch": [4.0] * 3, "NumPy loop": [90.0] * 3, "product": [1.0] * 3}
    return [first, second]


@pytest.mark.parametrize(("ours", "scatter", "marked"), [(2.0, 1.0, False), (2.5, 1.25, False), (4.0, 2.0, True)])
def test_processes_that_disagree_are_marked(ours, scatter, marked):
    problem = Problem("LSTM", 2, 3, 5, 7)
    found = cases.entry(problem, "infer", two_processes(ours), n=10)
    assert found["scatter"] == pytest.approx(scatter)
    assert found["times"]["rnn_ref"]["rounds"] == [1.0, 1.0, 9.0, *[ours] * 3]
    assert found["ratios"].keys() == {"PyTorch"}
    assert found["ratios"]["PyTorch"]["rounds"][-1] == 4 / ours
    assert found["peak"] == 2000 / 0.75
    assert ("(!)" in cases.line(found), "(!)" in markdown.cases([found]).splitlines()[-1]) == (marked, marked)
    (judged,) = (goal for goal in goals({"cases": [found, {**found, "what": "train"}]}) if "process" in goal.text)
    assert judged.met == (scatter <= 1.15)


def test_sizes_are_drawn_by_their_seed():
    few, many = drawn(5, 3, (1 << 16, 1 << 30)), drawn(40, 3, (1 << 16, 1 << 30))
    assert many[:5] == few
    assert drawn(5, 4, (1 << 16, 1 << 30)) != few
    assert len(set(many)) == 40
    assert {problem.cell for problem in many} == {"SimpleRNN", "GRU", "LSTM"}
    assert all(1 << 16 <= problem.operations(training=False) <= 1 << 30 for problem in many)


def test_cliffs_are_found_wherever_they_stand():
    line = [(n, 1.0 + 0.5 * n) for n in range(1, 49)]
    assert cliffs(line) == []
    steps = [(n, float(-(-n // 8) * 8)) for n in range(24, 49)]  # whole tiles: no cliffs
    assert cliffs(steps) == []
    for place in (1, 2, 20, 47):
        points = [(n, seconds * (1.6 if k == place else 1)) for k, (n, seconds) in enumerate(line)]
        assert [size for size, _ in cliffs(points)] == [place + 1], place
    wide = [(n, seconds * (2 if n in (20, 21) else 1)) for n, seconds in line]
    assert [size for size, _ in cliffs(wide)] == [20, 21]


def test_exponents():
    assert exponent([(n, 3 * n**1.5) for n in (1, 2, 4, 8)]) == pytest.approx(1.5)
    assert exponent([(1, 1.0)]) is None
    assert scaled((32, 100, 128, 128), "time", 4) == (32, 400, 128, 128)
    assert scaled((32, 100, 128, 128), "units", 4) == (32, 100, 128, 256)


def test_exponents_are_fitted_past_the_overhead():
    """A call takes a second, and each sample a second: only from 19 samples on is the second one in twenty."""

    class Counting:
        def ask(self, make, problem, what, seconds):
            return {"seconds": 1.0 + (0 if problem.case == (1, 1, 1, 1) else problem.B)}

    settings = Settings(scaling=(8, 1, 1, 2), factors=(1, 4, 8), rounds=1)
    batch, time, _ = grow(Counting(), "LSTM", "infer", settings, say=lambda line: None)
    assert batch["points"] == [(8, 9.0), (32, 33.0), (64, 65.0)]
    assert batch["exponent"] == pytest.approx(np.log2(65 / 33))
    assert time["exponent"] is None


def test_a_process_that_fails_says_why():
    says = pytest.raises(RuntimeError, match=r"(?s)status 1 at layer.*KeyError: 'MGU'")
    with Process(CONTENDERS["NumPy loop"]) as process, says:
        process.ask("layer", Problem("MGU", 1, 1, 1, 1), "infer")


def test_a_process_holds_its_library_only():
    """Memory and time of a peer are not those of rnn_ref, nor of the process that asks."""
    ballast = np.ones(100_000_000, np.uint8)
    with Process(CONTENDERS["NumPy loop"]) as process:
        assert process.ask("layer", Problem("LSTM", 1, 1, 1, 1), "infer")["peak"] < ballast.nbytes
