"""Processes that train together: each joins the others by what it was started with, and a lost one is noticed within seconds."""

from __future__ import annotations

import os

import jax

from chainrule.errors import SettingError

SECONDS = 60
"""After how many seconds without a sign of life a process counts as lost, where its machine does not say so at once."""

PATIENCE = 120
"""Seconds in which all have to have begun."""

LAUNCHERS = (("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"))
"""The variables by which launchers that JAX does not know say how many processes there are, and which one this is: Open MPI 5, then
MPICH and Intel MPI. They do not say where these meet."""


def join(address: str | None = None, count: int | None = None, number: int | None = None) -> None:
    """Meet the other processes, by default where SLURM, Open MPI 4 or Kubernetes say.

    It comes before anything is computed by JAX.

    Parameters
    ----------
    address : str, optional
        The first process's, "host:port".
    count, number : int, optional
        How many processes there are, and which of them, from 0 on, this one is; where they are not given a launcher says them.

    Raises
    ------
    SettingError
        When no launcher says how many there are, or not all of them come.
    """
    if address is not None and count is None and number is None:
        count, number = _told_by_launcher()
    _let_who_computes_go_on()
    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]  # which would keep SIGTERM from whoever is to hear it
    try:
        jax.distributed.initialize(
            address, count, number, heartbeat_timeout_seconds=SECONDS, initialization_timeout=PATIENCE
        )
    except (ValueError, RuntimeError) as error:
        raise SettingError(
            f"the processes that are to train together did not meet: {error} Start them by srun, mpirun or a Kubernetes job, each "
            "with `chainrule launch script.py`; where the launcher does not say at which address they meet (Open MPI 5, MPICH, Intel "
            "MPI) give one that is free on the first one's machine, `chainrule launch --address host:port script.py`; or on this "
            "machine alone by `chainrule launch --processes 2 script.py`."
        ) from error


def _let_who_computes_go_on() -> None:
    """Threads that begin from now on wait for their turn when they wake up.

    Where a process has one core, gloo's thread wakes up on that of the one which has just sent something and holds a lock. Put in
    its place, as systems do by default, it asks for the lock again and again until the clock's next tick, for 4 ms.
    """
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _told_by_launcher() -> tuple[int | None, int | None]:
    """How many processes there are, and which one this is, as MPI's launchers say it; what they do not say is left to JAX."""
    for names in LAUNCHERS:
        count, number = (os.environ.get(name, "") for name in names)
        if count.isdecimal() and number.isdecimal():
            return int(count), int(number)
    return None, None
