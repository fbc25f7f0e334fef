"""Huffman codes of a vocabulary, for hierarchical softmax (Morin and Bengio 2005; Mikolov et al. 2013)."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np


class HuffmanCodes(NamedTuple):
    """The path of every word from the root of the tree, padded to the longest.

    ``nodes`` int32 (words, L): inner nodes on the path, 0 where padded; ``signs`` float32 (words, L): 1 where the
    path goes left, -1 where it goes right, 0 where padded.
    """

    nodes: np.ndarray
    signs: np.ndarray


def huffman_codes(counts: np.ndarray) -> HuffmanCodes:
    """Build the tree that gives words of high counts, int64 (words,), short paths; its root is the last inner node."""
    words = len(counts)
    parents = np.zeros(2 * words - 1, np.int64)
    is_right = np.zeros(2 * words - 1, bool)
    heap = [(int(count), index) for index, count in enumerate(counts)]
    heapq.heapify(heap)
    for node in range(words, 2 * words - 1):
        (left_count, left), (right_count, right) = heapq.heappop(heap), heapq.heappop(heap)
        parents[left] = parents[right] = node
        is_right[right] = True
        heapq.heappush(heap, (left_count + right_count, node))
    return _paths(parents, is_right, words)


def _paths(parents: np.ndarray, is_right: np.ndarray, words: int) -> HuffmanCodes:
    root = len(parents) - 1
    at = np.arange(words)
    nodes: list[np.ndarray] = []
    signs: list[np.ndarray] = []
    while (at != root).any():
        climbing = at != root
        nodes.append(np.where(climbing, parents[at] - words, 0))
        signs.append(np.where(climbing, np.where(is_right[at], -1.0, 1.0), 0.0))
        at = np.where(climbing, parents[at], root)
    return HuffmanCodes(np.stack(nodes, 1).astype(np.int32), np.stack(signs, 1).astype(np.float32))
