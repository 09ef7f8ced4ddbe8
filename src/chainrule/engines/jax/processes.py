"""Processes that train together: each joins the others by what it was started with, and a lost one is noticed within seconds."""

from __future__ import annotations

import jax

from chainrule.errors import SettingError

SECONDS = 10
"""After how many seconds without a sign of life a process counts as lost, where its machine does not say so at once."""

PATIENCE = 120
"""Seconds in which all have to have begun."""


def join(address: str | None = None, count: int | None = None, number: int | None = None) -> None:
    """Meet the other processes at an address; by default at what SLURM, Open MPI, Kubernetes and others say.

    It comes before anything is computed by JAX.

    Parameters
    ----------
    address : str, optional
        The first process's, "host:port".
    count, number : int, optional
        How many processes there are, and which of them, from 0 on, this one is.

    Raises
    ------
    SettingError
        When no launcher says how many there are, or not all of them come.
    """
    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]  # which would keep SIGTERM from whoever is to hear it
    try:
        jax.distributed.initialize(
            address, count, number, heartbeat_timeout_seconds=SECONDS, initialization_timeout=PATIENCE
        )
    except (ValueError, RuntimeError) as error:
        raise SettingError(
            f"the processes that are to train together did not meet: {error} Start them by srun, mpirun or a Kubernetes job, each "
            "with `chainrule launch script.py`; or on this machine alone by `chainrule launch --processes 2 script.py`."
        ) from error
