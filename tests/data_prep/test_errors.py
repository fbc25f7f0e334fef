from __future__ import annotations

from data_prep.errors import InputError


def test_all_parts_are_in_one_message():
    error = InputError("The rate is wrong", allowed="0 to 1", received=3, remedy="Give a smaller rate")
    assert str(error) == "The rate is wrong. Allowed: 0 to 1. Received: 3. Give a smaller rate."
    assert (error.problem, error.allowed, error.received) == ("The rate is wrong", "0 to 1", 3)
    assert isinstance(error, ValueError)


def test_problem_alone_ends_with_one_full_stop():
    assert str(InputError("The text is empty.")) == "The text is empty."
    assert str(InputError("There is no dog", remedy="Did you mean 'dig'?")) == "There is no dog. Did you mean 'dig'?"


def test_long_input_is_shortened():
    message = str(InputError("Too long", received="x" * 1000))
    assert len(message) < 120 and message.endswith("x….")


def test_newlines_in_the_input_do_not_break_the_message():
    assert "\n" not in str(InputError("Wrong", received="a\nb"))
