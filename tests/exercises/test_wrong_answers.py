"""A typical wrong answer is told what is wrong with it."""

import re
from collections import Counter

import pytest

from rnn_ref.exercises import EXERCISES, check
from tests.exercises import (
    wrong_backpropagation,
    wrong_characters,
    wrong_entities,
    wrong_first_look,
    wrong_first_step,
    wrong_gru_forecasts,
    wrong_lstm_gates,
    wrong_own_cell,
    wrong_parameters,
    wrong_regularization,
    wrong_sentiment,
    wrong_sequences,
    wrong_sick_networks,
    wrong_speed,
    wrong_translation,
    wrong_vanishing,
)

WRONG = [
    *wrong_parameters.WRONG,
    *wrong_backpropagation.WRONG,
    *wrong_lstm_gates.WRONG,
    *wrong_first_look.WRONG,
    *wrong_first_step.WRONG,
    *wrong_gru_forecasts.WRONG,
    *wrong_sequences.WRONG,
    *wrong_characters.WRONG,
    *wrong_own_cell.WRONG,
    *wrong_vanishing.WRONG,
    *wrong_regularization.WRONG,
    *wrong_entities.WRONG,
    *wrong_translation.WRONG,
    *wrong_sick_networks.WRONG,
    *wrong_sentiment.WRONG,
    *wrong_speed.WRONG,
]


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path):
    monkeypatch.setenv("RNN_REF_PROGRESS", str(tmp_path / "progress.json"))


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(number, answer, message):
    result = check(number, answer)
    assert result.right is False
    assert not result
    assert re.search(message, repr(result)), result


def test_each_exercise_knows_three_mistakes():
    tried = Counter(number for number, _, _ in WRONG)
    assert {number: tried[number] for number in EXERCISES if tried[number] < 3} == {}
