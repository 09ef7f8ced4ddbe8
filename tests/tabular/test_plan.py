"""What a training is to do: within its time, by counts alone, more where there is more time."""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.tabular.learning import plan as planning
from chainrule.tabular.learning.plan import Plan, passes_between_looks, plan


def seconds_of(intended: Plan, rows: int, weights: int, batch: int, threads: int, recipes: int) -> float:
    """What it takes by the module's own assumptions, written out."""
    steps = -(-rows // batch)
    look = planning.LOOK * min(1.0, steps / planning.STEPS_BETWEEN_LOOKS)
    products = rows * (planning.PASSES * weights + planning.OVERHEAD) / planning.SPEED
    networks = intended.members + intended.tried * (recipes - 1)
    return planning.COMPILING * recipes + networks * intended.epochs * (products / threads + look)


@pytest.mark.parametrize("seed", range(100))
def test_a_plan_keeps_its_time_and_uses_it(seed):
    random = np.random.default_rng(seed)
    rows, weights = int(10 ** random.uniform(1.5, 6)), int(10 ** random.uniform(3, 5.5))
    known = (rows, weights, int(random.choice([32, 128, 512])))
    threads, folds, recipes = int(random.integers(1, 17)), int(random.integers(2, 11)), int(random.integers(1, 6))
    seconds = 4 * planning.COMPILING * recipes + 10 ** random.uniform(-1, 2.5)
    found = plan(*known, seconds, threads, folds, recipes)
    tried = found.recipes
    assert tried <= recipes
    assert (tried > 1) == (found.tried > 0)
    assert seconds_of(found, *known, threads, tried) <= seconds or found == Plan(1, 1, 1)
    unbounded = plan(*known, None, threads, folds, recipes)
    assert unbounded.recipes == recipes
    assert tried <= 2 or found.epochs == unbounded.epochs  # no recipe is tried for which others are cut
    if found.members > 1 and found.epochs < unbounded.epochs:  # there was no time for more
        assert seconds_of(replace(found, epochs=found.epochs + 12), *known, threads, tried) > seconds
    assert found.members <= plan(*known, 3 * seconds, threads, folds, recipes).members <= unbounded.members


def test_looks_share_out_all_epochs():
    for epochs in range(1, 400):
        for steps in range(1, 30):
            passes = passes_between_looks(epochs, steps)
            assert epochs % passes == 0
            assert passes == 1 or (
                passes * steps <= planning.STEPS_BETWEEN_LOOKS and epochs // passes >= planning.FEWEST_LOOKS
            )
    few = [plan(rows, 20_000, max(16, rows // 4), None, 2, recipes=2) for rows in range(30, 400, 7)]
    assert all(passes_between_looks(found.epochs, 4) > 2 for found in few)
