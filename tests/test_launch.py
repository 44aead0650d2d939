"""The environment says how many processes a run has."""

from __future__ import annotations

import pytest

from unwarp.launch import count_processes, is_alone, is_first_process, launch_hint, process_index


def test_launch_is_read_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchrun sets size and rank; without a local rank there is one process."""
    for name, value in {"WORLD_SIZE": "3", "RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert (count_processes(), process_index(), is_first_process()) == (1, 0, True)
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert (count_processes(), process_index(), is_first_process()) == (3, 2, False)
    token = is_alone.set(True)
    assert (count_processes(), process_index()) == (1, 0)
    is_alone.reset(token)


def test_launch_of_one_process_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`accelerate launch --cpu --num_processes 2` starts one process and sets an address."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert not launch_hint()
    names = {"ACCELERATE_USE_CPU": "True", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert "torchrun --nproc_per_node" in launch_hint()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not launch_hint()
