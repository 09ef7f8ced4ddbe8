"""The shipped digits are the UCI test set, and their licence travels with them."""

from importlib.resources import files

import numpy as np

from chainrule.datasets import digits, xor


def test_digits_are_the_uci_test_set():
    images, X, y = digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    # the class sizes published in optdigits.names
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert X.dtype == np.float32
    assert y.dtype == np.int64
    np.testing.assert_array_equal(X * 16, images.reshape(1797, 64))


def test_digits_name_source_and_licence_and_stay_small():
    folder = files("chainrule.datasets")
    text = folder.joinpath("digits.txt").read_text(encoding="utf-8")
    assert "10.24432/C50P49" in text
    assert "CC BY 4.0" in text
    assert len(folder.joinpath("digits.npz").read_bytes()) < 100_000


def test_digits_may_be_changed_without_changing_the_next_call():
    digits().X[:] = -1
    assert digits().X.min() == 0


def test_xor():
    X, y = xor()
    assert [(int(a), int(b), int(label)) for (a, b), label in zip(X, y, strict=True)] == [
        (0, 0, 0),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, 0),
    ]
