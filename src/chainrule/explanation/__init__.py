"""Every gradient open to view: values, steps, derivations, contributions, drawings, read off what was run."""
