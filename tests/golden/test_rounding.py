"""Rounding that makes up for its errors: its algebra, and that it is worth it."""
import numpy as np
import pytest

from golden.rounding import factor, nearest_plane, product


def covariance(rng, shape, count):
    """Of correlated inputs, (*shape, count, count)."""
    mixed = rng.normal(size=(*shape, count, count)) * rng.uniform(0.1, 3, count)
    return mixed @ np.swapaxes(mixed, -1, -2) + 0.1 * np.eye(count)


@pytest.mark.parametrize("shape", [(), (7,)])
def test_factor(shape, rng):
    matrix = covariance(rng, shape, 12)
    upper = factor(matrix)
    assert (np.tril(upper, -1) == 0).all()
    assert (np.diagonal(upper, axis1=-2, axis2=-1) == 1).all()
    inner = np.linalg.inv(np.swapaxes(upper, -1, -2)) @ matrix @ np.linalg.inv(upper)
    diagonal = np.diagonal(inner, axis1=-2, axis2=-1)
    assert (diagonal > 0).all()
    np.testing.assert_allclose(inner, diagonal[..., None] * np.eye(12), atol=1e-8)


def test_product(rng):
    left, right = rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 4, 6))
    np.testing.assert_allclose(product(left, right), left @ right, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (5,)])
def test_errors_are_made_up_for(shape, rng):
    """Smaller in the sums than rounding each weight by itself, and never far from the weight."""
    matrix = covariance(rng, shape, 24)
    weights = rng.uniform(-100, 100, (*shape, 24, 16))
    found = nearest_plane(factor(matrix), weights, 127)
    assert (found == np.rint(found)).all()

    def error(integers):
        """Squared error of every output's sum."""
        left = integers - weights
        return np.einsum("...im,...ij,...jm->...m", left, matrix, left)

    assert error(found).mean() < 0.5 * error(np.rint(weights)).mean()


def test_each_integer_is_the_nearest_given_those_after_it(rng):
    """Against the plain definition: the least squares centre of each weight, the later ones fixed,
    the earlier ones free."""
    matrix, weights = covariance(rng, (), 6), rng.uniform(-3, 3, (6, 1))
    found = nearest_plane(factor(matrix), weights, 1000)[:, 0]
    for k in reversed(range(6)):
        # Minimise over x[:k + 1] with x[k + 1:] = found: gradient zero in the free part.
        free, fixed = slice(0, k + 1), slice(k + 1, 6)
        moved = found[fixed] - weights[fixed, 0]
        centre = weights[free, 0] - np.linalg.solve(matrix[free, free],
                                                    matrix[free, fixed] @ moved)
        assert found[k] == np.rint(centre[k])


def test_without_correlation_every_weight_is_rounded_by_itself(rng):
    weights = rng.uniform(-200, 200, (8, 5))
    found = nearest_plane(factor(np.diag(rng.uniform(1, 9, 8))), weights, 127)
    assert (found == np.clip(np.rint(weights), -127, 127)).all()


def test_limits_hold(rng):
    weights = rng.uniform(-20, 20, (16, 5))
    found = nearest_plane(factor(covariance(rng, (), 16)), weights, 7)
    assert found.min() == -7 and found.max() == 7
