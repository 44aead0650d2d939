"""Training speed of the VAE compared with pythae 0.1.2, same network, batches and data.

    python -m benchmarks.versus_pythae [--rounds 7] [--epochs 10]

The benchmark makes a scratch environment with both libraries, then trains in turns, round by round:
ours, pythae's trainer with the same fused AdamW, and pythae's trainer with its own default (Adam,
kernels not fused). The median of paired ratios is quoted. Both then train from the same weights for
`--epochs`, and the evidence lower bound on held-out digits is compared. Data: all of MNIST,
binarised once; one hidden layer of 400, 40 latents, batches of 100, learning rate 1e-3 throughout.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import cells

PEER = "pythae==0.1.2"
BATCH, LR, LATENTS = 100, 1e-3, 40
ROOT = Path(__file__).parent.parent


def prepare(folder: Path, *peers: str) -> Path:
    """Interpreter of a new environment with this library and `peers` (default: pythae)."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        "constraints.txt",
        ".",
        *(peers or (PEER,)),
    ]
    subprocess.run(install, cwd=ROOT, check=True)
    return python


@dataclass
class Setting:
    """One network, twice, over the same data."""

    x: Tensor
    held: Tensor

    def ours(self) -> Any:
        """Our recipe and a new model."""
        from unwarp.models import VAE, Net, Optimiser
        from unwarp.warps import Identity

        constant = Optimiser(
            lr=LR, weight_decay=0.0, betas=(0.9, 0.999), warmup=0, floor=1.0, clip=0.0
        )
        net = Net("mlp", (400,), (400,), norm=False)
        recipe = VAE(warp=Identity(), n_content=LATENTS, net=net, optimiser=constant)
        return recipe, recipe.build((1, 28, 28), seed=0)

    def theirs(self, model: Any) -> Any:
        """The peer's VAE around copies of our model's networks."""
        from copy import deepcopy

        from pythae.models import VAE, VAEConfig
        from pythae.models.base.base_utils import ModelOutput
        from pythae.models.nn import BaseDecoder, BaseEncoder

        class Encoder(BaseEncoder):
            def __init__(self, net: nn.Module) -> None:
                BaseEncoder.__init__(self)
                self.net = net

            def forward(self, x: Tensor) -> Any:
                mean, log_sd = self.net(x)
                return ModelOutput(embedding=mean, log_covariance=2 * log_sd)

        class Decoder(BaseDecoder):
            def __init__(self, net: nn.Module) -> None:
                BaseDecoder.__init__(self)
                self.net = net

            def forward(self, z: Tensor) -> Any:
                return ModelOutput(reconstruction=self.net(z))

        config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENTS, reconstruction_loss="bce")
        return VAE(
            config,
            Encoder(deepcopy(model.encoder.content)),
            Decoder(deepcopy(nn.Sequential(model.decoder, model.link))),
        )


def train_ours(setting: Setting, recipe: Any, model: Any, epochs: int) -> float:
    """Seconds of our loop."""
    from unwarp.data.dataset import Dataset
    from unwarp.training.loop import train

    steps = epochs * len(setting.x) // BATCH
    history = train(
        model,
        recipe.players(model),
        Dataset(setting.x),
        steps=steps,
        batch_size=BATCH,
        device="cpu",
    )
    return float(history.seconds)


def train_theirs(setting: Setting, model: Any, epochs: int, fused: bool) -> float:
    """Seconds of the peer's steps, without its set-up and saving."""
    import time

    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    spent: list[float] = []

    class Clock(TrainingCallback):
        def on_train_step_begin(self, *args: Any, **kwargs: Any) -> None:
            spent.append(-time.perf_counter())

        def on_train_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.last = time.perf_counter()

        def on_epoch_end(self, *args: Any, **kwargs: Any) -> None:
            spent[-1] += self.last

    kind, more = ("AdamW", {"fused": True, "weight_decay": 0.0}) if fused else ("Adam", {})
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=LR,
            per_device_train_batch_size=BATCH,
            optimizer_cls=kind,
            optimizer_params=more or None,
            no_cuda=True,
        )
        data = BaseDataset(setting.x, torch.zeros(len(setting.x)))
        trainer = BaseTrainer(model, data, training_config=config, callbacks=[Clock()])
        trainer.train()
    return sum(spent)


@torch.no_grad()
def bound(encode: Any, decode: Any, held: Tensor, draws: int = 20) -> float:
    """Evidence lower bound of held-out digits in nats, mean over samples and draws."""
    generator = torch.Generator().manual_seed(0)
    mean, log_sd = encode(held)
    rate = 0.5 * (mean**2 + (2 * log_sd).exp() - 1 - 2 * log_sd).sum(1).mean()
    errors = []
    for _ in range(draws):
        p = decode(mean + log_sd.exp() * torch.randn(mean.shape, generator=generator)).clamp(
            1e-6, 1 - 1e-6
        )
        errors.append(nn.functional.binary_cross_entropy(p, held, reduction="sum") / len(held))
    return -float(torch.stack(errors).mean() + rate)


def work(rounds: int, epochs: int) -> cells.Result:
    """Both trainers in turns, then both bounds."""
    from benchmarks.likelihood import binary_mnist

    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    train, test = binary_mnist("train"), binary_mnist("test")
    fixed = train.batch(torch.arange(len(train)), torch.Generator().manual_seed(0)).x
    setting = Setting(fixed, test.x)
    recipe, model = setting.ours()
    paces: list[dict[str, float]] = []
    for turn in range(rounds + 1):
        order = ("ours", "fused", "default") if turn % 2 else ("default", "fused", "ours")
        pace = {}
        for name in order:
            own = setting.ours()[1]
            spent = (
                train_ours(setting, recipe, own, 1)
                if name == "ours"
                else train_theirs(setting, setting.theirs(own), 1, name == "fused")
            )
            pace[name] = len(fixed) / spent
        if turn:
            paces.append(pace)
            print({k: round(v) for k, v in pace.items()}, flush=True)
    peer = setting.theirs(model)
    train_ours(setting, recipe, model, epochs)
    train_theirs(setting, peer, epochs, fused=True)
    return {
        "ratio_same_kernel": round(median(p["ours"] / p["fused"] for p in paces), 4),
        "ratio_to_default": round(median(p["ours"] / p["default"] for p in paces), 4),
        "images_per_second": {k: round(median(p[k] for p in paces)) for k in paces[0]},
        "elbo_ours": round(
            bound(
                model.encoder.content.eval(),
                nn.Sequential(model.decoder, model.link).eval(),
                test.x,
            ),
            3,
        ),
        "elbo_theirs": round(bound(peer.encoder.net.eval(), peer.decoder.net.eval(), test.x), 3),
        "epochs": epochs,
        "environment": cells.environment() | {"peer": PEER},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--python",
        help="interpreter of an environment that holds both libraries; made anew by default",
    )
    asked = parser.parse_args()
    if asked.worker:
        result = work(asked.rounds, asked.epochs)
        cells.write(cells.RESULTS / "versus_pythae.json", result)
        print(cells.json.dumps(result, indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        python = asked.python or prepare(Path(folder))
        again = [
            python,
            "-m",
            "benchmarks.versus_pythae",
            "--worker",
            "--rounds",
            str(asked.rounds),
        ]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
        subprocess.run(
            [*again, "--epochs", str(asked.epochs)], cwd=ROOT, env=environment, check=True
        )


if __name__ == "__main__":
    sys.exit(main())
