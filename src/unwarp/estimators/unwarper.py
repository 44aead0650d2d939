"""`Unwarper`: templates, content codes and deformations as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from unwarp.core import (
    Array,
    ClusterMethod,
    ContentName,
    DivergencePolicy,
    LabelPolicy,
    LayoutName,
    LengthPolicy,
    MissingPolicy,
    Precision,
    RefineName,
    ScaleName,
    StartName,
    TableLayout,
    WorkingSize,
)
from unwarp.data.opening import as_source
from unwarp.data.schema import Schema
from unwarp.data.source import Source
from unwarp.data.streams import check_order, is_stream
from unwarp.devices import float32_gradients
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.clustering import Clustering
from unwarp.estimators.display import Display
from unwarp.estimators.feature_columns import Views
from unwarp.estimators.fitting import Fitting
from unwarp.estimators.generation import Generation
from unwarp.estimators.labels_choice import with_labels
from unwarp.estimators.modes import Modes
from unwarp.estimators.parameters import Parameters
from unwarp.estimators.persistence import Persistence
from unwarp.estimators.warm_start import WarmStart
from unwarp.models.recipe import Recipe
from unwarp.processes import connect_processes, run_once
from unwarp.range_kinds import Flag
from unwarp.ranges import check_value
from unwarp.training.callbacks import Callback, check_callbacks
from unwarp.warps import Warp


class Unwarper(
    TransformerMixin,  # type: ignore[misc]
    Clustering,
    Generation,
    Modes,
    Persistence,
    Display,
    Parameters,
):
    """Templates, content codes and deformations of samples, learned without labels.

    An autoencoder with a differentiable warp, for misaligned images and time series. A sample is
    one image or one series. The encoder maps a sample x to a content code z and to the parameters
    theta of a deformation. The decoder maps z to a template, which does not depend on theta, and
    the warp deforms the template:

        x_hat = warp(decoder(z), theta)

    The warp has no trainable weights, so theta has a fixed meaning; `transform_params` returns
    deformations in degrees, pixels, factors or seconds. A deformation is measured relative to the
    mean deformation of the training samples, which counts as the identity (no deformation).

    Args:
        warp: Family of deformations: a `Warp`, its name (`affine`, `similarity`, `time`, `identity`
            for none), or names joined by a plus sign (`displacement+affine`). `auto` takes the warp
            of the recipe; the default is `affine` for images and `time` for series. If `recipe` is
            None as well, short trainings decide (`selection_`): for series between no warp, lags,
            lags and tempos, a smooth warp of time (also of what lags leave) and a sharp one; for
            200 images or more between the affine warp and no warp.
        recipe: Architecture, losses and optimiser: a `Recipe`, or the name of a family (`ae`,
            `vae`, `beta-vae`, `gan`, ...). None for an autoencoder that suits the data.
        domain: Kind of samples: `image` or `series`. `auto` takes the kind that the named warp
            deforms; without a named warp the shape of `X` decides.
        content: Origin of the content code. `joint`: a network learns it together with the
            deformation. `elastic`: the elastic distances of a series to some training series.
            `gradients`: principal components of the oriented gradients of the aligned picture.
            These two tell kinds of samples apart better than a learned code; a new decoder then
            draws the templates. If no recipe is given, `auto` is `elastic` for series and
            `gradients` for pictures, else that of the recipe.
        n_content: Size D of the content code; None for the size that the recipe states, or 64 for
            elastic codes and 24 for gradients.
        n_clusters: Number of clusters for `predict`. None means 10 for images, or the number of
            kinds that a search found (`start`). For series it means the number of classes if the
            source has labels; else, with spectral clusters, a number from 2 to 10 that the series
            suggest; else a tenth of the number of samples, but at least 2 and at most 10.
        clusters: Way to form clusters. `kmeans`: a sample belongs to the nearest centre of content
            codes. `spectral`: spectral clustering. Series are compared by elastic distances to up
            to 400 training series, in about 20 ms a series at most; pictures by a graph of
            nearest content codes, if there are five training pictures for each cluster. `auto` is
            `spectral` for measured content (elastic or gradients), else `kmeans`.
        refine: Refinement of learned deformations after training; `none` for none. `band` moves
            each aligned series by at most 4% of its length to a common template, by dynamic
            programming. `gauss-newton` moves each picture onto the mean aligned picture of its
            kind, within the family of the warp; warps without affine maps have none. `auto` refines
            series where differences in timing prevail and it explains much of them in series that
            the template has not seen, and pictures where it makes the poses of held-out pictures
            better; a warp `identity` that is named stays as it is.
        fast: Whether a small network predicts elastic codes, for series by the million. Measured
            codes take milliseconds a series; the network is trained on them after everything else,
            in seconds, and `fast_loss_` states how far its codes are off. `transform` and whatever
            starts from content codes use it; spectral clusters (`predict`) keep their distances.
        labels: Use of labels of the training samples. `ignore`: everything is learned without
            them, and `y` changes nothing. `choose`: a mode that uses labels. They choose, by
            leaving one out, the features that `transform` returns: content codes, samples as they
            are or aligned, elastic codes of several kinds, or poses (`labels_choice_`). The model
            itself stays as it is.
        max_steps: Training steps. None for about 30 passes over the data, but at least 600 for
            images, 400 for series and 500 for the sharp warp of series, and at most 4,000.
        max_seconds: Longest time of `fit` after the samples are read; None for no limit.
        validation_fraction: Share of the samples to hold out of the training, such as 0.1. Their
            reconstruction error then tells when the training is done: it ends at a plateau, is
            extended up to four times if the error still falls at the default number of steps, and
            keeps the best weights (`history_.validation`). None to hold out none.
        batch_size: Samples in a training step; None for 64 images or 20 series.
        scale: Scaling of values. `auto` divides uint8 images by 255 if they use half of this range;
            else it maps the range of all images to [0, 1], or that of each image if the light
            varies. It standardises all series together. `channel` standardises each channel over
            all series; `each` gives each image a range of its own, and standardises every channel
            of every series by itself; `level` does so without its linear trend and without spikes
            of one step, and `auto` takes it where series then differ much more clearly; None leaves
            values as they are, and images with values outside [0, 1] are an error.
        missing: Treatment of NaN in series: `error` refuses them, `interpolate` fills them linearly
            in time, `mask` learns only from the observed values.
        sampling_rate: Samples per second of series; times, lags and events are then in seconds.
            None to count time in time steps.
        image_shape: (H, W) or (C, H, W) of images that are rows of a table; None otherwise.
        layout: Order of the axes of images: `channels_first` for (N, C, H, W), `channels_last` for
            (N, H, W, C); `auto` decides by the shape and refuses what reads two ways.
        sizes: How to bring images of several sizes to one: `pad` centres them on a frame with the
            median of their border, `crop` cuts them to their common centre, `64x48` or (64, 48)
            resizes them to this height and width. None refuses several sizes.
        lengths: How series of unequal lengths, or with time stamps, share one time axis. `clock`
            keeps their times: without time stamps they start together, and a shorter one ends
            early. `stretch` spreads each of them over the whole axis. `auto` keeps the clock,
            unless series without time stamps end like longer ones, so that their lengths mean
            nothing, or the recipe (`gan`, `mixing-ae`) takes no gaps.
        table: Layout of a table: `wide` for a row per series, `long` for a row per series and time,
            `columns` for a column per series. `auto` decides by the names and cells of the columns
            and refuses what reads two ways. Arrays have no columns: this and the following four
            arguments do not concern them.
        id_column: Name of the column that names the series of a table; None to find it. Without
            column names, columns are named by their numbers, from "1".
        time_column: Name of the column of times; None to find it.
        value_columns: Names of the columns of values; None for all without another role.
        label_column: Name of the column of labels; None to find it.
        working_size: Size at which the model learns. Deformations do not depend on the size, so
            `align`, templates, points, events and matrices are at the size of the samples. `auto`
            keeps images of up to 48 pixels and takes a side of 24 to 48 for larger ones, as much
            detail as they have; it keeps series of up to 768 steps and averages longer ones to 512,
            1024 or 2048. A number is the longest side in pixels or the number of time steps, (H, W)
            a size, None the full size.
        start: First estimate of the pose. `learned`: a network predicts it. `centroid`, `moments`:
            shift, or shift and scale, from the intensity of images. `search`: lag and tempo of
            series by comparison with templates, for the warps `time-shift` and `time-affine` and
            chains that end with them; or kinds and poses of noisy pictures of few kinds, for warps
            of rotations and shifts. `auto` takes the start of the recipe; if that is left to
            `fit`, a warp of lags is searched, and so are noisy pictures that few templates explain;
            other pictures on a dark background start at the centroid.
        overrides: Values for single fields of the recipe, such as `{"optimiser.lr": 1e-3}`. They
            replace the values of `recipe` and those that `fit` chooses. As parameters of
            `set_params` and of grid searches they have names such as `recipe__optimiser__lr`.
        random_state: Seed of all random numbers: a whole number below 2**32, or, as scikit-learn
            takes them, a `numpy.random.RandomState`, or None for another seed at each `fit`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for 32-bit floats, `bf16` or `fp16` for mixed precision in training.
        on_divergence: Reaction to a loss, a gradient or a weight that is not finite: `stop`
            raises a `DivergenceError`; `rollback` goes back to the last good state and continues at
            half the learning rate, at most five times (`history_.rollbacks`).
        warm_start: Whether a further `fit` continues from the weights of `model_`. Samples are then
            scaled as in the first `fit` and may be others of the same shape; recipe and warp must
            stay the same. The optimiser, and networks outside the model such as critics, start
            anew. False to forget the earlier training.
        verbose: Whether to print decisions and progress.

    Attributes:
        model_: The trained `Model`.
        recipe_: The recipe of the model.
        plan_: Recipe, steps and batch size of the training, with the reasons for each decision;
            None after `load`.
        selection_: Selected warp with its measurements; None if no selection was needed.
        columns_: The columns that `transform` returns.
        labels_choice_: The features that labels chose, with the accuracy of each candidate; None
            unless `labels="choose"`.
        history_: Loss terms, other measures and rollbacks of the training, errors of held-out
            samples, and the reason if a callback or a plateau stopped it; empty after `load`.
        schema_: Shape, scale and times of the samples that the model takes.
        n_features_in_: Number of values in a sample.
        feature_names_in_: Names of the columns of the training samples, if they were a data frame
            with texts as names; else there is no such attribute.
        n_iter_: Training steps that `fit` made; None in a model that an earlier version saved.
        clusters_: The clusters, as a rule for new samples.
        cluster_centers_: Mean content codes of the clusters (n_clusters, D).
        labels_: Cluster of each training sample (N,), as `predict` returns it; None after `load`.
        outlier_: Whether each training series shares nothing with the others (N,), judged by its
            elastic distance to the third nearest one; None after `load` and without spectral
            clusters.
        refinement_: The refinement of learned deformations; None for none.
        mode_temperature_: Number by which errors become the weights of `pose_modes`; None for
            models with one pose a sample, and for those of earlier versions.
        fast_loss_: Difference between fast and measured codes of held-out training series; None
            unless `fast`.
        cluster_templates_: Templates of the cluster centres (n_clusters, C, ...).
        mixture_: Gaussian mixture over content and deformation of the training samples.
        times_: Time of each time step of aligned series (T,); models of series only.

    See Also:
        unwarp.train: The training loop, for your own models and losses.
        unwarp.evaluate: Scores of a trained model on labelled or unlabelled data.

    Notes:
        On the CPU, the same samples, arguments and number of threads give the same weights.
        Autoencoders with explicit deformations: Detlefsen and Hauberg (2019, Explicit
        disentanglement of appearance and perspective in generative models), for images, and
        Koneripalli et al. (2020, Rate-invariant autoencoding of time-series).

    Examples:
        >>> import numpy as np
        >>> from unwarp import Unwarper
        >>> X = np.random.default_rng(0).random((20, 12, 12))
        >>> unwarper = Unwarper(max_steps=2, n_clusters=3).fit(X)
        >>> unwarper.align(X).shape
        (20, 12, 12)
        >>> unwarper.transform_params(X).columns[0]
        'rotation_deg'
        >>> unwarper.predict(X).shape
        (20,)
    """

    def __init__(
        self,
        warp: str | Warp = "auto",
        recipe: str | Recipe | None = None,
        *,
        domain: str = "auto",
        content: ContentName = "auto",
        n_content: int | None = None,
        n_clusters: int | None = None,
        clusters: ClusterMethod = "auto",
        refine: RefineName = "auto",
        fast: bool = False,
        labels: LabelPolicy = "ignore",
        max_steps: int | None = None,
        max_seconds: float | None = None,
        validation_fraction: float | None = None,
        batch_size: int | None = None,
        scale: ScaleName | None = "auto",
        missing: MissingPolicy = "error",
        sampling_rate: float | None = None,
        image_shape: tuple[int, ...] | None = None,
        layout: LayoutName = "auto",
        sizes: str | tuple[int, int] | None = None,
        lengths: LengthPolicy = "auto",
        table: TableLayout = "auto",
        id_column: str | None = None,
        time_column: str | None = None,
        value_columns: list[str] | tuple[str, ...] | None = None,
        label_column: str | None = None,
        working_size: WorkingSize = "auto",
        start: StartName = "auto",
        overrides: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
        precision: Precision = "no",
        on_divergence: DivergencePolicy = "stop",
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        # scikit-learn requires that arguments are stored unchanged and checked in `fit`
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    @float32_gradients()
    def fit(
        self, X: Any, y: Any = None, *, times: Any = None, callbacks: Sequence[Callback] = ()
    ) -> Self:
        """Learn templates, content codes and deformations from samples.

        The arguments are checked before the samples are read. All attributes of the trained
        estimator change together at the end: after an error or an interrupt, an estimator that was
        trained before is as it was.

        Args:
            X: N samples: an array of images (N, H, W) or (N, C, H, W) or of series (N, T) or
                (N, C, T), a list of series (T_i,) or (C, T_i), a folder of images, a file, or a
                `Dataset`. In an array, NaN at the end of a row ends its series. Series of unequal
                lengths share one time axis as `lengths` says. A `DataLoader`, a `Dataset` of
                torch, or an iterator of batches (B, ...) or of pairs (batch, labels) is read once
                into one array.
            y: Class of each sample (N,), for `labels="choose"`; None for the labels of `X`. Ignored
                otherwise.
            times: Time stamps of series whose time steps are not evenly spaced, as seconds, dates
                or durations: (N, T), a list of N arrays (T_i,), or (T,) for the same times in all
                series. A model that was trained with time stamps needs them in all methods.
            callbacks: Callbacks of the training loop (`unwarp.training.Callback`). One that calls
                `state.stop(reason)` ends the training early, and leaves a trained estimator.

        Returns:
            The estimator itself.

        Raises:
            DataError: The samples cannot be used; the message gives reason and remedy.
            ConfigError: An argument is unknown or out of range, or does not fit the samples.
            DivergenceError: The training diverged, and could not continue by `on_divergence`.
        """
        # 1. check the arguments, then read the samples and find out their domain, shape and scale
        request, reading = self._check()
        connect_processes(self.device)
        seed = run_once(lambda: int(check_random_state(self.random_state).randint(1 << 31)))
        callbacks = (*check_callbacks(callbacks), *self._progress())
        earlier = WarmStart.of(self)
        if earlier is None:
            source = self._with_labels(as_source(X, times, reading.hints), y)
            schema, data = Schema.fit(source, reading)
        else:
            source = self._with_labels(self.open(X, times=times, any_order=True), y)
            schema, data = earlier.read(source, reading)
        fitting = Fitting(self, request, reading, schema, data, seed, callbacks, source, earlier)
        # 2. decide on the recipe, the steps and the batch size, and on how much to warp
        plan, selection = run_once(fitting.decide)
        fitting.check_memory(source, plan)
        # 3. build the model of the recipe, train it, and cluster the latents of the samples; of
        # several processes, all train, and the first one does the rest
        results = fitting.learn(plan, selection)
        # 4. store all results at once, so that a failure or an interrupt changes no attribute
        self.__dict__.pop("feature_names_in_", None)
        self.__dict__.update(results.attributes())
        return self

    def parse(self, X: Any, *, times: Any = None) -> Source:
        """Samples as `fit` reads them: parsed and checked, but not yet scaled.

        Use it to read samples once and then split them, for example in training and test samples.
        All methods accept the result, or its subsets (`Source.subset`), as `X`.

        Args:
            X: Samples, as for `fit`.
            times: Time stamps, as for `fit`.

        Raises:
            DataError: The samples cannot be used.
            ConfigError: An argument is unknown, or does not fit the samples.
        """
        reading = self._check()[1]
        return reading.parse(as_source(X, times, reading.hints))

    def _with_labels(self, source: Source, y: Any) -> Source:
        """The samples with the labels `y` if they choose features; else unchanged."""
        return with_labels(source, y) if self.labels == "choose" else source

    def fit_transform(
        self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any
    ) -> Array:
        """Content codes of the training samples, after `fit`.

        Args:
            X: N samples, as for `fit`.
            y: Class of each sample, for `labels="choose"`; ignored otherwise.
            times: Time stamps, as for `fit`.
            **fit_params: Further arguments of `fit`, such as `callbacks`.

        Returns:
            Content codes (N, D).

        Raises:
            DataError: The samples cannot be used.
            ConfigError: An argument is unknown, or does not fit the samples.
        """
        check_order(X)
        if is_stream(X):  # it may be an iterator, which can be read only once
            X = as_source(X).x
        return self.fit(X, y, times=times, **fit_params).transform(X, times=times)

    def transform(self, X: Any, *, pose: bool = False, times: Any = None) -> Array:
        """Content codes of samples, which do not depend on their deformations.

        The code of a variational autoencoder is the posterior mean. With `labels="choose"`, the
        features that the labels chose take the place of content codes (`labels_choice_`).

        Args:
            X: N samples like those of `fit`.
            pose: Whether to append the deformations, for classes that differ in pose or timing.
                Series: how long each of 32 even parts of the template takes, as a logarithm, and
                the mean lag. Images: the parameters of `transform_params(full=True)`, each over its
                half-range, periodic ones as cosine and sine. They are scaled so that the mean
                distance to the nearest other training sample is that of the codes.
            times: Time stamps, as for `fit`.

        Returns:
            Content codes (N, D), in the dtype of `X` if that is float32 or float64, else float32.
            With `pose`, the deformations are further columns.

        Raises:
            DataError: The samples do not fit the model.
            ConfigError: `pose` is no truth value, tables are set as output (`set_output`), or an
                earlier version saved the model, without the scale of the pose.
        """
        check_is_fitted(self)
        check_value("pose", pose, Flag())
        if pose and self._output_format() != "default":
            raise ConfigError(
                "pose=True gives an array, and set_output asks for a table; take "
                "set_output(transform='default'), and get_feature_names_out(pose=True) for names"
            )
        if is_stream(X):
            X = self.open(X).x
        return self._features(X, times, pose).astype(_floating_dtype(X), copy=False)

    def _output_format(self) -> str:
        """The format of `transform` that `set_output` or scikit-learn's configuration asks for."""
        # scikit-learn has no public way to read what `set_output` stored
        formats = getattr(self, "_sklearn_output_config", {})
        return str(formats.get("transform", get_config()["transform_output"]))

    def get_feature_names_out(self, input_features: Any = None, *, pose: bool = False) -> Array:
        """Names of the columns of `transform`, such as `content_0` to `content_{D-1}`.

        Args:
            input_features: `feature_names_in_`, or None; part of scikit-learn's interface.
            pose: Whether `transform` appends the deformations.

        Raises:
            ConfigError: `pose` is neither True nor False.
            DataError: The training samples had other names of features.
        """
        check_is_fitted(self)
        check_value("pose", pose, Flag())
        names = getattr(self, "feature_names_in_", None)
        if not (names is None or input_features is None or np.array_equal(names, input_features)):
            raise DataError("input_features is not equal to feature_names_in_; leave it out")
        return np.array(self.columns_.names(self.model_, self.schema_.domain, pose), dtype=object)

    def _features(self, X: Any, times: Any, pose: bool) -> Array:
        """The columns (N, F) of `transform`, float32."""
        if not pose and self.columns_.base == "content":
            return self._content(X, times)
        refinement = self.refinement_ if self.columns_.is_refined else None
        samples, parts = self.prepare_samples(X, times), []
        for rows in samples.chunks():
            views = Views.of(
                self.model_, self.schema_.domain, samples[rows], self.device, refinement
            )
            parts.append(self.columns_(views, pose).numpy())
        return np.concatenate(parts)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags


def _floating_dtype(X: Any) -> Any:
    """The dtype of floating-point samples; float32 for all others."""
    dtype = getattr(X, "dtype", None)
    return dtype if dtype in (np.float32, np.float64) else np.float32
