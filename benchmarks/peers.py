"""Latents of pythae's VAE and beta-VAE, trained in a scratch environment on one thread.

pythae 0.1.2 trains as it comes: its own MLP encoder and decoder (one hidden layer of 512), its own
trainer with Adam and batches of 64. Four things are chosen here, the first two in its favour (5-NN
of 18 latents on Affine MNIST after 30 s):

* the Bernoulli likelihood rather than its default squared error (VAE 66 against 50 %, beta-VAE 52
  against 22 %);
* a learning rate of 1e-3 rather than its default of 1e-4 (50 against 38 % with the squared error);
* beta = 4 for the beta-VAE, where pythae's default of 1 would make it the VAE;
* the posterior mean as the code, since pythae's `embed` gives a random sample of the posterior.

pythae trains on a fixed set and draws no fresh deformations. To be fair to it, `x_train` may hold
several observations of each original.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.versus_pythae import ROOT, prepare
from unwarp.errors import ConfigError

Array = NDArray[np.float32]
Kind = Literal["vae", "beta-vae"]
KINDS: tuple[Kind, ...] = ("vae", "beta-vae")
LOSS, BETA, LR, BATCH = "bce", 4.0, 1e-3, 64


def latents(
    x_train: Array,
    x_test: Array,
    kind: Kind,
    n_latents: int,
    seconds: float,
    seed: int = 0,
    python: str | Path | None = None,
) -> tuple[Array, Array, float]:
    """Posterior means that a peer gives training and test samples, and the seconds that it trained.

    Args:
        x_train: Training samples (N, C, ...), values in [0, 1]; several observations of an original
            are samples of their own.
        x_test: Held-out samples (M, C, ...).
        kind: `vae` or `beta-vae`.
        n_latents: Size D of the code.
        seconds: How long to train; the batch in hand at the end is the last.
        seed: Seed of weights, batches and noise.
        python: Interpreter of an environment that holds both libraries; made anew, once a process,
            by default.

    Returns:
        Codes (N, D), codes (M, D), and the seconds of training.

    Raises:
        ConfigError: An unknown kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"kind={kind!r} is unknown; choose one of {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(given, train=np.asarray(x_train, np.float32), test=np.asarray(x_test, np.float32))
        words = [
            given,
            found,
            "--kind",
            kind,
            "--latents",
            n_latents,
            "--seconds",
            seconds,
            "--seed",
            seed,
        ]
        command = [
            str(word) for word in (python or _interpreter(), "-m", "benchmarks.peers", *words)
        ]
        paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        alone = {
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "TQDM_DISABLE": "1",
        }
        subprocess.run(command, cwd=ROOT, env=os.environ | alone, check=True)
        with np.load(found, allow_pickle=False) as arrays:
            return arrays["train"], arrays["test"], float(arrays["seconds"])


@cache
def _environment() -> tempfile.TemporaryDirectory[str]:
    """A folder that lives as long as the process."""
    return tempfile.TemporaryDirectory(prefix="peers-")


@cache
def _interpreter() -> Path:
    return prepare(Path(_environment().name))


class Timed:
    """Batches of a loader, epoch after epoch, until the time is over."""

    def __init__(self, loader: Any, seconds: float) -> None:
        self.loader, self.seconds, self.dataset, self.batches = loader, seconds, loader.dataset, 1

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[Any]:
        end = time.perf_counter() + self.seconds
        epochs = chain.from_iterable(self.loader for _ in count())
        for self.batches, batch in enumerate(epochs, start=1):
            yield batch
            if time.perf_counter() >= end:
                return


def train(x: Tensor, kind: Kind, n_latents: int, seconds: float, seed: int) -> tuple[Any, float]:
    """A peer trained on `x` (N, C, ...), and the seconds that it took."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, BetaVAE, BetaVAEConfig, VAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.manual_seed(seed)
    own = {"input_dim": tuple(x.shape[1:]), "latent_dim": n_latents, "reconstruction_loss": LOSS}
    model = VAE(VAEConfig(**own)) if kind == "vae" else BetaVAE(BetaVAEConfig(**own, beta=BETA))
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=1,
            learning_rate=LR,
            per_device_train_batch_size=BATCH,
            seed=seed,
            no_cuda=True,
        )
        trainer = BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=config)
        trainer.train_loader = Timed(trainer.train_loader, seconds)
        start = time.perf_counter()
        trainer.train()
    return model, time.perf_counter() - start


@torch.no_grad()
def means(model: Any, x: Tensor) -> Array:
    """Posterior means (N, D) of samples (N, C, ...)."""
    return np.concatenate([model.encoder(part).embedding.numpy() for part in torch.split(x, 1000)])


def work(given: Path, found: Path, kind: Kind, n_latents: int, seconds: float, seed: int) -> None:
    """Train on the arrays of one file and write the codes into another."""
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    with np.load(given, allow_pickle=False) as arrays:
        x_train, x_test = (torch.from_numpy(arrays[part]) for part in ("train", "test"))
    model, spent = train(x_train, kind, n_latents, seconds, seed)
    model.eval()
    np.savez(found, train=means(model, x_train), test=means(model, x_test), seconds=spent)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("given", type=Path, help="an .npz file with train and test")
    parser.add_argument("found", type=Path, help="the .npz file that is written")
    parser.add_argument("--kind", choices=KINDS, default="vae")
    parser.add_argument("--latents", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    work(asked.given, asked.found, asked.kind, asked.latents, asked.seconds, asked.seed)


if __name__ == "__main__":
    main()
