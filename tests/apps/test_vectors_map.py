from __future__ import annotations

import numpy as np
import pytest

from apps.shared.charts import axis_titles
from apps.vectors.application import Vectors
from apps.vectors.maps import plane, word_map
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

WORDS = [f"w{row}" for row in range(60)]
CLOUD = np.random.default_rng(0).normal(size=(60, 10)).astype(np.float32)


def test_the_plane_keeps_the_parallelogram_undistorted() -> None:
    result = plane(["a", "b", "c", "d"], CLOUD[:4])
    points = np.array(result.coordinates)
    np.testing.assert_allclose(points[0], [0, 0], atol=1e-6)
    assert points[1][0] > 0 and points[1][1] == pytest.approx(0, abs=1e-6) and points[2][1] > 0
    for left, right in ((0, 1), (0, 2), (1, 2)):
        distance = np.linalg.norm(CLOUD[left] - CLOUD[right])
        assert np.linalg.norm(points[left] - points[right]) == pytest.approx(distance, rel=1e-5)
    np.testing.assert_allclose(result.corner, points[1] + points[2], atol=1e-9)
    assert result.kept[:3] == pytest.approx((1, 1, 1)) and 0 < result.kept[3] < 1
    assert result.axes == ("a → b", "towards c, at right angles")


def test_the_fourth_word_is_projected_at_right_angles() -> None:
    result = plane(["a", "b", "c", "d"], np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0], [2, 3, 4]]))
    assert result.coordinates[3] == pytest.approx((2, 3)) and result.corner == pytest.approx((2, 3))
    assert result.kept[3] == pytest.approx(13 / 29)
    assert result.explained == pytest.approx((8 / 42, 18 / 42))


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (["a", "b"], CLOUD[:2], "A plane needs three words"),
        (["a", "a", "b"], CLOUD[[0, 0, 1]], "do not span a plane"),
        (["a", "b", "a"], CLOUD[[0, 1, 0]], "do not span a plane"),
        (["a", "b", "c"], np.array([[0, 0], [1, 1], [2, 2]]), "do not span a plane"),
    ],
)
def test_three_words_on_a_line_have_no_plane(words, vectors, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plane(words, vectors)


def test_pca_equals_scikit_learns_and_names_its_axes() -> None:
    from sklearn.decomposition import PCA

    result = word_map(WORDS, CLOUD, "pca")
    cloud = CLOUD.astype(np.float64)
    theirs = PCA(2, svd_solver="full").fit(cloud)
    points = np.array(result.coordinates)
    np.testing.assert_allclose(np.abs(points), np.abs(theirs.transform(cloud)), atol=1e-5)
    assert result.explained == pytest.approx(theirs.explained_variance_ratio_, abs=1e-6)
    for axis in (0, 1):
        order = np.argsort(points[:, axis])
        low, high = [WORDS[row] for row in order[:2]], [WORDS[row] for row in order[::-1][:2]]
        assert result.axes[axis] == f"{', '.join(low)} ↔ {', '.join(high)}"
        title = axis_titles(result.axes, result.explained)[axis]
        assert title == f"{result.axes[axis]} ({result.explained[axis]:.1%} of variance)"
        assert points[np.abs(points[:, axis]).argmax(), axis] > 0


def test_pca_of_one_dimension() -> None:
    result = word_map(list("abcd"), np.array([[1.0], [2.0], [3.0], [9.0]]))
    assert result.explained == pytest.approx((1, 0)) and {y for _, y in result.coordinates} == {0.0}


def test_tsne_repeats_with_its_seed_and_keeps_clusters_together() -> None:
    clusters = np.concatenate([CLOUD[:20] * 0.05, CLOUD[20:40] * 0.05 + 5])
    first = word_map(WORDS[:40], clusters, "tsne", seed=1)
    assert first == word_map(WORDS[:40], clusters, "tsne", seed=1)
    assert first.explained is None and first.axes == ("t-SNE 1", "t-SNE 2")
    assert axis_titles(first.axes, first.explained) == first.axes
    points = np.array(first.coordinates)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert ((distances.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()


@pytest.mark.parametrize(
    ("words", "vectors", "method", "message"),
    [
        (WORDS, CLOUD, "umap", "Unknown method for a map.*pca, tsne.*'umap'"),
        (WORDS[:3], CLOUD[:3], "pca", "A map by pca shows 4 to 5000 words"),
        (["w"] * 2001, np.zeros((2001, 2)), "tsne", "A map by tsne shows 4 to 2000 words.*2001"),
        (WORDS[:5], np.ones((5, 3)), "pca", "have different vectors"),
    ],
)
def test_wrong_maps_are_refused(words, vectors, method: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        word_map(words, vectors, method)


def test_the_application_maps_normalised_vectors() -> None:
    vectors = Vectors(WordVectors(WORDS, CLOUD))
    assert vectors.map(10).words == vectors.map(np.int64(10)).words == tuple(WORDS[:10])
    with pytest.raises(InputError, match="seed of a map"):
        vectors.map(10, "tsne", seed=-1)
    assert vectors.map(["w1", "W1", "w2", "w3", "w4"]).words == ("w1", "w2", "w3", "w4")
    unit = vectors.word_vectors.normalized
    assert vectors.map(10) == word_map(WORDS[:10], unit[:10])
    assert vectors.plane(["w3", "w1", "w2"]) == plane(["w3", "w1", "w2"], unit[[3, 1, 2]])
    with pytest.raises(InputError, match="number of words on a map is positive"):
        vectors.map(0)
