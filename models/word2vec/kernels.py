"""word2vec as machine code: blocks of words from a text, and the steps of a block on copies of its rows."""

from __future__ import annotations

import numpy as np

from models.serving.compiled import compiled, sigmoid


@compiled
def _random(state):
    """Return the next number from 0 to 1 of a linear congruential generator (Knuth's), state uint64 (1,)."""
    state[0] = state[0] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    return np.float64(state[0] >> np.uint64(11)) * 2.0**-53


@compiled
def fill_blocks(ids, ends, keep, noise, guide, window, shrinking, cursors, state, tokens, extents, negatives):
    """Fill a batch with the next words; see :mod:`models.word2vec.blocks`.

    Each block goes on at a place of its own in the text, ``cursors`` int64 (blocks, 3): position, number of the
    sentence, words left. ``guide`` says where in the cumulated ``noise`` each of equal shares begins.
    """
    for block in range(len(tokens)):
        position, sentence, left = cursors[block]
        first = place = 0
        while place < tokens.shape[1] and left > 0:
            if position == len(ids):
                position = sentence = 0
                _windows(extents[block], first, place, window, shrinking, state)
                first = place
            while position >= ends[sentence]:
                sentence += 1
                _windows(extents[block], first, place, window, shrinking, state)
                first = place
            word = ids[position]
            position += 1
            left -= 1
            if _random(state) < keep[word]:
                tokens[block, place] = word
                place += 1
        _windows(extents[block], first, place, window, shrinking, state)
        tokens[block, place:] = 0
        extents[block, place:] = 0
        cursors[block, 0], cursors[block, 1], cursors[block, 2] = position, sentence, left
        for group in range(negatives.shape[1]):
            for at in range(negatives.shape[2]):
                share = _random(state)
                drawn = guide[int(share * len(guide))]
                while noise[drawn] < share:
                    drawn += 1
                negatives[block, group, at] = drawn


@compiled
def _windows(extents, first, last, window, shrinking, state):
    """Draw the windows of the words of one sentence, which stand from first to last."""
    for place in range(first, last):
        reach = window
        if shrinking:
            reach = 1 + int(_random(state) * window)
        extents[place] = min(reach, place - first) * (window + 1) + min(reach, last - 1 - place)


@compiled
def number_rows(words, rows, known, count, numbered):
    """Give words rows by first appearance, from ``count`` on: ``known`` are the words of the rows; return the count.

    ``rows`` int32 (vocabulary,) is -1 for every word that has none.
    """
    for at in range(len(words)):
        word = words[at]
        if rows[word] < 0:
            rows[word] = count
            known[count] = word
            count += 1
        numbered[at] = rows[word]
    return count


@compiled
def take_rows(matrix, words, own, before):
    """Copy rows of a matrix twice; where copies are wider they end in zeros."""
    for row in range(len(words)):
        word = words[row]
        for at in range(matrix.shape[1]):
            own[row, at] = matrix[word, at]
        for at in range(matrix.shape[1]):
            before[row, at] = own[row, at]


@compiled
def add_changes(matrix, words, own, before):
    """Add to rows of a matrix what has changed in their copies."""
    for row in range(len(words)):
        word = words[row]
        for at in range(matrix.shape[1]):
            matrix[word, at] += own[row, at] - before[row, at]


@compiled
def _set_row(rows, row, weight, totals, total):
    """Make ``totals[total]`` a weighted row."""
    for at in range(rows.shape[1]):
        totals[total, at] = weight * rows[row, at]


@compiled
def _add_row(rows, row, weight, totals, total):
    for at in range(rows.shape[1]):
        totals[total, at] += weight * rows[row, at]


@compiled
def _products(rows, chosen, count, vectors, which, found):
    """Multiply chosen rows with one of some vectors: ``found[which, :count]``."""
    whole = count - count % 3
    for k in range(0, whole, 3):
        one, two, three = chosen[k], chosen[k + 1], chosen[k + 2]
        a = b = c = np.float32(0)
        for at in range(rows.shape[1]):
            value = vectors[which, at]
            a += rows[one, at] * value
            b += rows[two, at] * value
            c += rows[three, at] * value
        found[which, k], found[which, k + 1], found[which, k + 2] = a, b, c
    for k in range(whole, count):
        one = chosen[k]
        a = np.float32(0)
        for at in range(rows.shape[1]):
            a += rows[one, at] * vectors[which, at]
        found[which, k] = a


@compiled
def _add_sum(rows, chosen, count, weights, which, totals, total):
    """Add the sum of chosen rows by ``weights[which, :count]`` to ``totals[total]``."""
    whole = count - count % 3
    for k in range(0, whole, 3):
        one, two, three = chosen[k], chosen[k + 1], chosen[k + 2]
        a, b, c = weights[which, k], weights[which, k + 1], weights[which, k + 2]
        for at in range(rows.shape[1]):
            totals[total, at] += a * rows[one, at] + b * rows[two, at] + c * rows[three, at]
    for k in range(whole, count):
        _add_row(rows, chosen[k], weights[which, k], totals, total)


@compiled
def _window(tokens, extent, place, window, context):
    """Put the words around a place into ``context``; return how many there are."""
    left, right = extent // (window + 1), extent % (window + 1)
    for k in range(left):
        context[k] = tokens[place - left + k]
    for k in range(right):
        context[left + k] = tokens[place + 1 + k]
    return left + right


@compiled
def _loss(scores, count, full):
    """Return the sum of log(1 + exp(x)) over scores."""
    loss = 0.0
    for c in range(count):
        for k in range(full):
            loss += max(scores[c, k], 0) + np.log1p(np.exp(-abs(scores[c, k])))
    return loss


@compiled
def train_block(inputs, outputs, tokens, extents, negatives, window, cbow, mean, exact, rate):
    """Take one step of SGD a word, one after the other: the words of its window predict it.

    ``tokens`` and ``negatives`` number the rows of ``inputs`` and ``outputs``, float32 (rows, width). Of CBOW the
    window makes one query, of skip-gram each word of it. Rows are updated when all gradients of the word are there.

    Returns:
        Loss and number of predictions of every 64th word.
    """
    width, most, full = inputs.shape[1], 2 * window, 1 + negatives.shape[1]
    chosen, context, every = np.empty(full, np.int32), np.empty(most, np.int32), np.arange(most)
    pulls, turned = np.zeros((most, full), np.float32), np.zeros((full, most), np.float32)
    queries, steps = np.zeros((most, width), np.float32), np.zeros((most, width), np.float32)
    shares, flat = np.ones((1, most), np.float32), pulls.reshape(-1)
    loss = predictions = 0.0
    for place in range(len(tokens)):
        size = count = _window(tokens, extents[place], place, window, context)
        if size == 0:
            continue
        chosen[0] = tokens[place]
        for k in range(1, full):
            chosen[k] = negatives[place % len(negatives), k - 1]
        if cbow:
            count = 1
            for k in range(size):
                shares[0, k] = np.float32(1) / np.float32(size) if mean else np.float32(1)
            _set_row(steps, 0, np.float32(0), queries, 0)
            _add_sum(inputs, context, size, shares, 0, queries, 0)
        else:
            for c in range(size):
                _set_row(inputs, context[c], np.float32(1), queries, c)
        for c in range(count):
            _products(outputs, chosen, full, queries, c, pulls)
            pulls[c, 0] = -pulls[c, 0]
        if place % 64 == 0:
            loss += _loss(pulls, count, full)
            predictions += count
        for k in range(count * full):
            flat[k] = -rate * sigmoid(flat[k])
        for c in range(count):
            pulls[c, 0] = -pulls[c, 0]
            for k in range(full):
                turned[k, c] = pulls[c, k]
            _set_row(queries, c, np.float32(0), steps, c)
            _add_sum(outputs, chosen, full, pulls, c, steps, c)
        for k in range(full):
            _add_sum(queries, every, count, turned, k, outputs, chosen[k])
        for k in range(size):
            share = shares[0, k] if exact else np.float32(1)
            _add_row(steps, min(k, count - 1), share, inputs, context[k])
    return loss, predictions
