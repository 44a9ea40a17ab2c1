"""Gas of an anchor and of a deployment, on py-evm: the same each time, so measured once."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.benchmarks.figures import Figure, Progress, exactly
from scripts.benchmarks.sizes import Sizes
from tests.support import gas


def measure(sizes: Sizes, progress: Progress) -> Iterator[Figure]:
    """Count the gas of anchors beside a bare mapping, and that of deploying each."""
    progress(f"{sizes.anchors:,} anchors on py-evm")
    mean = gas.anchor_gas(last=sizes.anchors)
    yield Figure(
        "anchor_gas",
        f"mean of anchors {gas.FIRST} to {sizes.anchors:,}",
        exactly(mean.anchor),
        {"bare mapping write": exactly(mean.mapping)},
    )
    yield Figure(
        "deployment_gas",
        "three founders",
        exactly(gas.deployment_gas()),
        {"deployment of the bare mapping": exactly(gas.mapping_deployment_gas())},
    )
