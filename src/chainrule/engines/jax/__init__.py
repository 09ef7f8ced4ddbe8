"""The engine `jax`: Programs evaluated with jax.numpy, compiled by XLA for CPUs, GPUs and TPUs."""
