"""The public names of the package, with the module that defines each; loaded when first used."""

from unwarp.analysis.scoring import Report as Report
from unwarp.analysis.scoring import evaluate as evaluate
from unwarp.core import Factor as Factor
from unwarp.data.dataset import Dataset as Dataset
from unwarp.data.writing import write as write
from unwarp.errors import UnwarpError as UnwarpError
from unwarp.estimators.sweep import sweep as sweep
from unwarp.estimators.unwarper import Unwarper as Unwarper
from unwarp.models.families.ae import AE as AE
from unwarp.models.families.beta_vae import BetaVAE as BetaVAE
from unwarp.models.families.factor_vae import FactorVAE as FactorVAE
from unwarp.models.families.gan import GAN as GAN
from unwarp.models.families.mixing_ae import MixingAE as MixingAE
from unwarp.models.families.tc_vae import TCVAE as TCVAE
from unwarp.models.families.vae import VAE as VAE
from unwarp.models.latent import Latent as Latent
from unwarp.models.model import Model as Model
from unwarp.models.recipe import Recipe as Recipe
from unwarp.training.callbacks import Callback as Callback
from unwarp.training.loop import train as train
from unwarp.training.state import History as History
from unwarp.warps.affine import Affine2d as Affine2d
from unwarp.warps.chain import Chain as Chain
from unwarp.warps.cosine import CosineTime as CosineTime
from unwarp.warps.displacement import Displacement2d as Displacement2d
from unwarp.warps.gain import Gain as Gain
from unwarp.warps.identity import Identity as Identity
from unwarp.warps.maps import Map as Map
from unwarp.warps.rigid import Rigid2d as Rigid2d
from unwarp.warps.shift import TimeShift as TimeShift
from unwarp.warps.similarity import Similarity2d as Similarity2d
from unwarp.warps.time import MonotoneTime as MonotoneTime
from unwarp.warps.translations import Translation2d as Translation2d
from unwarp.warps.warp import Warp as Warp

__version__: str
