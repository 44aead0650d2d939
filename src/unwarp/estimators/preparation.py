"""Samples as a trained estimator reads them: parsed, checked and scaled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.core import LayoutName, MissingPolicy
from unwarp.data.dataset import Dataset
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.data.schema import Prepared, Schema
from unwarp.data.source import Source
from unwarp.data.streams import check_order
from unwarp.estimators.feature_names import check_feature_names


class Preparation:
    """Mixin that gives `Unwarper` the methods that read samples.

    All other methods take the results of `open` and `prepare_samples` instead of samples.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> unwarper.prepare(X).shape
    torch.Size([8, 1, 12])
    """

    schema_: Schema
    missing: MissingPolicy
    layout: LayoutName
    sizes: str | tuple[int, int] | None
    image_shape: tuple[int, ...] | None

    def prepare_dataset(self, source: Source) -> Dataset:
        """Samples scaled for the model, with their labels, as a `Dataset`.

        The data set also has the names and the true deformations of the samples, if the source
        has them.

        Args:
            source: Samples of the same kind as the training samples.

        Raises:
            DataError: The samples do not fit the model.
        """
        check_is_fitted(self)
        return self.schema_.prepare_dataset(source, self.missing)

    def open(self, X: Any, *, times: Any = None, any_order: bool = False) -> Source:
        """Samples with their names, labels and form, as this estimator reads them.

        Use it to read a file or a folder once, and to know the names of its samples. All methods
        accept the result as `X`.

        Args:
            X: Samples, as for `fit`.
            times: Time stamps, as for `fit`.
            any_order: Whether the order of the samples does not matter, so that a `DataLoader` may
                shuffle them.

        Returns:
            The samples. Images of several sizes have one size; that of the training images if the
            estimator is fitted.

        Raises:
            DataError: A path does not exist or cannot be read, images do not fit, or a `DataLoader`
                shuffles although the order matters.
        """
        if not any_order:
            check_order(X)
        frame = None
        if self.sizes is not None and hasattr(self, "schema_"):
            frame = (self.schema_.user_shape[-2], self.schema_.user_shape[-1])
        source = as_source(X, times, Hints.of(self, frame))
        if source.domain == "auto" and hasattr(self, "schema_"):
            source = replace(source, domain=self.schema_.domain.name)
        return source

    def prepare_samples(self, X: Any, times: Any = None) -> Prepared:
        """Samples scaled for the model, which remember their original form.

        All methods accept the result instead of `X`. So samples can be read and checked once for
        several methods.

        Args:
            X: N samples, or a result of this method, which is returned unchanged.
            times: Time stamps, as for `fit`.

        Returns:
            The scaled samples (N, *shape), and all that is needed to return results in the shape,
            range and dtype of `X`.

        Raises:
            DataError: The samples do not fit the model, or a data frame has other columns than that
                of the training samples.
        """
        check_is_fitted(self)
        if isinstance(X, Prepared):
            return X
        check_feature_names(self, X)
        return self.schema_.prepare(self.open(X, times=times), self.missing)

    def prepare(self, X: Any, times: Any = None) -> Tensor:
        """Samples scaled for the model, as a plain tensor.

        Use `prepare_samples` to keep their original form, too.

        Args:
            X: N samples, or a result of `prepare_samples`.
            times: Time stamps, as for `fit`.

        Returns:
            Scaled samples (N, *shape).

        Raises:
            DataError: The samples do not fit the model.
        """
        return self.prepare_samples(X, times).x
