"""Numerical programs written without derivatives in mind: with one import changed they are differentiable, to finite differences."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import chainrule as cr
import chainrule.numpy as np


def gaussian_process(p: Any) -> Any:
    """The log likelihood of a Gaussian process, by its length, its amplitude and its noise."""
    t = np.linspace(0.0, 3.0, 12)
    y = np.sin(t) + 0.1 * np.cos(7 * t)
    K = np.zeros((len(t), len(t)))
    for i in range(len(t)):
        for j in range(len(t)):
            K[i, j] = p[1] ** 2 * np.exp(-0.5 * ((t[i] - t[j]) / p[0]) ** 2)
    K[np.diag_indices(len(t))] += p[2] ** 2
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return -0.5 * y @ alpha - np.sum(np.log(np.diag(L)))


def pendulum(p: Any) -> Any:
    """Where a damped pendulum is after a hundred steps of Runge and Kutta."""

    def slope(state: Any) -> Any:
        angle, speed = state
        return np.array([speed, -p[2] * np.sin(angle) - 0.1 * speed])

    h, path = 0.05, np.zeros((101, 2))
    path[0] = p[:2]
    for i in range(100):
        s = path[i]
        k1 = slope(s)
        k2 = slope(s + h / 2 * k1)
        k3 = slope(s + h / 2 * k2)
        k4 = slope(s + h * k3)
        path[i + 1] = s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(path[-1] ** 2) + path[:, 0].mean()


def fft_filter(p: Any) -> Any:
    """A signal, filtered in the frequencies, beside what it should be."""
    t = np.arange(64) / 64.0
    signal = p[0] * np.sin(2 * np.pi * 3 * t) + p[1] * np.cos(2 * np.pi * 11 * t)
    spectrum = np.fft.rfft(signal)
    frequency = np.arange(spectrum.shape[0])
    spectrum = spectrum / (1 + (frequency / p[2]) ** 4)
    return np.sum((np.fft.irfft(spectrum, 64) - np.sin(2 * np.pi * 3 * t)) ** 2)


def kalman(p: Any) -> Any:
    """The log likelihood of measurements under a model with position and speed."""
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    Q = p[0] ** 2 * np.array([[0.1**3 / 3, 0.1**2 / 2], [0.1**2 / 2, 0.1]])
    R = np.array([[p[1] ** 2]])
    x, P, total = np.zeros(2), np.eye(2) * p[2], 0.0
    for k in range(20):
        x = F @ x
        P = F @ P @ F.T + Q
        residual = np.array([np.sin(0.3 * k)]) - H @ x
        S = H @ P @ H.T + R
        gain = P @ H.T @ np.linalg.inv(S)
        x = x + gain @ residual
        P = (np.eye(2) - gain @ H) @ P
        total += -0.5 * (np.log(np.linalg.det(S)) + residual @ np.linalg.solve(S, residual))
    return total


def rays(p: Any) -> Any:
    """Light on a sphere: rays through the pixels of a picture, hits, normals, shading."""
    xs, ys = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
    direction = np.stack([xs, ys, np.ones_like(xs)], axis=-1)
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    centre = np.array([p[0], 0.0, 4.0])
    b = direction @ centre
    c = centre @ centre - p[1] ** 2
    discriminant = b**2 - c
    hit = discriminant > 0
    distance = b - np.sqrt(np.where(hit, discriminant, 1.0))
    normal = (distance[..., None] * direction - centre) / p[1]
    light = np.array([0.5, p[2], -1.0])
    light = light / np.linalg.norm(light)
    picture = np.zeros((8, 8))
    picture[hit] = np.maximum(normal @ light, 0.0)[hit]
    return picture.mean()


def option(p: Any) -> Any:
    """An American option on a binomial tree."""
    n, strike = 30, 1.05
    dt = 1.0 / n
    up = np.exp(p[1] * np.sqrt(dt))
    q = (np.exp(p[2] * dt) - 1 / up) / (up - 1 / up)
    price = p[0] * up ** (2.0 * np.arange(n + 1) - n)
    value = np.maximum(strike - price, 0.0)
    for step in range(n - 1, -1, -1):
        price = p[0] * up ** (2.0 * np.arange(step + 1) - step)
        value = np.exp(-p[2] * dt) * (q * value[1:] + (1 - q) * value[:-1])
        value = np.maximum(value, strike - price)
    return value[0]


def finite_elements(p: Any) -> Any:
    """How a bar of changing stiffness bends: assembled element by element, with fixed ends."""
    n = 10
    K, f = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for e in range(n):
        stiffness = (p[0] + p[1] * (e / n) ** 2) * n
        K[e : e + 2, e : e + 2] += stiffness * np.array([[1.0, -1.0], [-1.0, 1.0]])
        f[e : e + 2] += p[2] / (2 * n)
    u = np.zeros(n + 1)
    u[1:-1] = np.linalg.solve(K[1:-1, 1:-1], f[1:-1])
    return np.max(u) + u @ f


def heat(p: Any) -> Any:
    """Heat in a rod, step by step in one array that is written over."""
    u = np.zeros(20)
    u[8:12] = p[0]
    u[0], u[-1] = p[2], 0.0
    for _ in range(40):
        u[1:-1] += p[1] * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2) + u[5]


def conjugate_gradients(p: Any) -> Any:
    """A linear system, solved by conjugate gradients in place."""
    A = np.array([[4.0, p[0], 0.0], [p[0], 3.0, p[1]], [0.0, p[1], 2.0]])
    b = np.array([1.0, p[2], 3.0])
    x, r = np.zeros(3), b.copy()
    d = r.copy()
    for _ in range(3):
        step = (r @ r) / (d @ A @ d)
        x += step * d
        before = r @ r
        r -= step * (A @ d)
        d *= (r @ r) / before
        d += r
    return np.sum(x**2)


PROGRAMS = {
    gaussian_process: [0.8, 1.2, 0.3], pendulum: [0.5, 0.2, 2.0], fft_filter: [1.0, 0.5, 5.0], kalman: [0.5, 0.2, 1.5],
    rays: [0.3, 1.5, 0.7], option: [1.0, 0.3, 0.02], finite_elements: [1.0, 0.5, 2.0], heat: [1.0, 0.3, 0.5],
    conjugate_gradients: [0.5, 0.3, 2.0],
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_value_gradient_and_curvature(program: Any) -> None:
    point = numpy.array(PROGRAMS[program])
    value, gradient = cr.value_and_grad(program)(point)
    assert value == pytest.approx(program(point), rel=1e-12)
    step = 1e-6
    slopes = numpy.array([(program(point + u) - program(point - u)) / (2 * step) for u in numpy.eye(3) * step])
    numpy.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8)
    along = cr.jvp(program, (point,), (numpy.array([1.0, -0.5, 2.0]),))[1]
    assert along == pytest.approx(gradient @ [1.0, -0.5, 2.0], rel=1e-10, abs=1e-12)
    units = numpy.eye(3) * 1e-5
    change = numpy.array([(cr.grad(program)(point + u) - cr.grad(program)(point - u)) / 2e-5 for u in units])
    numpy.testing.assert_allclose(cr.hessian(program)(point), change, rtol=1e-4, atol=1e-6)
    if program is rays:  # how many rays hit is not known before
        with pytest.raises(cr.errors.ShapeError, match=r"unknown number of elements.*np\.where"):
            cr.jit(program)(point)
        return
    compiled = cr.jit(cr.value_and_grad(program), engine="auto")(point)
    assert compiled[0] == pytest.approx(value, rel=1e-9)
    numpy.testing.assert_allclose(compiled[1], gradient, rtol=1e-7, atol=1e-9)
