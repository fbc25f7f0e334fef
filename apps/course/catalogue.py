"""All exercises of the course by the parts of the lecture."""

from __future__ import annotations

from collections.abc import Mapping

from apps.course.exercises import Exercise
from apps.course.exercises_convolution import CONVOLUTION
from apps.course.exercises_generation import GENERATION
from apps.course.exercises_network import NETWORK
from apps.course.exercises_pooling import POOLING
from apps.course.exercises_recurrent import RECURRENT
from apps.course.exercises_shapes import SHAPES
from apps.course.exercises_tasks import TASKS
from apps.course.exercises_tensors import TENSORS
from apps.course.exercises_tokens import TOKENS
from apps.course.exercises_word2vec import WORD2VEC
from data_prep.errors import InputError

LESSONS = (TENSORS, CONVOLUTION, POOLING, SHAPES, NETWORK, TOKENS, TASKS, RECURRENT, GENERATION, WORD2VEC)
EXERCISES: Mapping[str, Mapping[str, Exercise]] = {lesson.part: lesson.exercises for lesson in LESSONS}


def exercise(name: str) -> Exercise:
    """Find an exercise by its name, such as ``"tensors/rows"``; an InputError says which there are."""
    lesson, _, key = name.partition("/")
    found = EXERCISES.get(lesson, {})
    if key not in found:
        raise InputError("There is no such exercise", allowed=", ".join(found or EXERCISES), received=name)
    return found[key]
