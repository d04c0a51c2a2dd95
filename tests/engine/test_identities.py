"""Names without keys, for tests."""

from __future__ import annotations

from pico_engine.harness import SeededEntropy
from pico_engine.identities import ExampleIdentities


def test_names_are_all_different_and_follow_from_the_entropy() -> None:
    def names(seed: int) -> list[str]:
        entropy, identities = SeededEntropy(seed), ExampleIdentities()
        makers = (
            lambda: identities.new_pico(entropy),
            lambda: identities.new_channel(entropy),
            lambda: identities.new_connection_channel(entropy, "did:example:p"),
        )
        return [make()[0] for _ in range(50) for make in makers]

    assert len(set(names(1))) == 150
    assert names(1) == names(1)
    assert not set(names(1)) & set(names(2))
    assert all(name.startswith("did:example:") for name in names(1))
