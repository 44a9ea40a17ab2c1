"""What chance makes of credentials is read alike in Python and JavaScript, or refused alike."""

from __future__ import annotations

import os
import secrets
from base64 import b64decode
from random import Random
from typing import Final

import pytest

from tests.support.credential_cases import artefact
from tests.support.credential_fuzz import near_bundles, near_credentials, profile_of
from tests.support.credential_reader import node_answers, python_answer, questions, request
from tests.support.samples import sample_files
from tests.support.vectors import vectors

FILES: Final = int(os.environ.get("TESTAMUR_FUZZ_FILES", "1500"))
"""Files of one run; each is asked four questions."""

SEED: Final = os.environ.get("TESTAMUR_FUZZ_SEED")
"""Set it to the seed that a failure printed, to see the failure again."""

SAMPLE_BYTES_MAX: Final = 20_000


@pytest.mark.slow  # thousands of questions, put to both
def test_nearly_credentials_are_read_alike() -> None:
    seed = int(SEED) if SEED else secrets.randbits(32)
    print(f"TESTAMUR_FUZZ_SEED={seed}")  # noqa: T201 (pytest shows it when the test fails)
    random = Random(seed)  # noqa: S311 (chance, not secrets)
    whole = [artefact(vector) for vector in vectors("credentials/profiles").values()]
    whole += [data for path in sample_files() if len(data := path.read_bytes()) < SAMPLE_BYTES_MAX]
    asked = []
    for data in near_credentials(random, FILES, whole):
        asked += questions(data, profile_of(random, data))
    asked += [request("bundle", data) for data in near_bundles(random, FILES // 20)]
    wanted = [python_answer(one) for one in asked]
    for one, answer, expected in zip(asked, node_answers(asked), wanted, strict=True):
        data = b64decode(one["bytes"])
        assert answer == expected, f"seed {seed}: {one['call']}, {one.get('profile')}, {data!r}"
    # Chance must have reached both sides of each rule, or the comparison says little.
    assert sum("value" in answer for answer in wanted) > len(wanted) / 5
    assert len({answer["error"] for answer in wanted if "error" in answer}) > 5
