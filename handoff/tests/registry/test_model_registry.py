"""A registry that can't be used says why, in a sentence."""

from pathlib import Path

import mlflow
import pytest
from sqlalchemy import create_engine, text

from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.model_registry import registry_errors
from full_disk import room_for


def test_a_full_disk_is_told_from_a_server_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: address)
    engine = create_engine(address)
    with (
        engine.connect() as connection,
        pytest.raises(HandoffError) as said,
        registry_errors(),
        room_for(0),
    ):
        connection.execute(text("create table models (name text)"))
    engine.dispose()
    assert str(said.value).startswith(
        f"The registry at {address} can't be used (disk I/O error): make room on its disk, "
    )
