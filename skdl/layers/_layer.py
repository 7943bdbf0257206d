"""What a layer is, and the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

from skdl import activations
from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Context
from skdl.ops.window import Axis, Spread

_NOTHING: dict[str, Any] = {}


class ParamSpec(NamedTuple):
    """One array of a layer: its shape, its start, and how it is trained.

    Running statistics are arrays with ``trainable=False``: kept and pickled with the
    network, but not seen by the optimizer.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    initializer : str or Initializer
        Its start; "auto" is what suits the activation that follows.
    trainable : bool
        Whether it is a parameter: it has a gradient.
    penalised : bool
        Whether penalties (alpha, l1) act on it: yes for the weights of affine maps.
    rate : float
        What the learning rate is multiplied by, from 0; 0 freezes the array.
    suggested : str or None
        What "auto" means, noted by the chain that the layer stands in.
    sparse : bool
        Whether it is a table of which a batch looks up few rows: an optimizer then
        changes these alone. The layer asks ``ctx.touched`` for the place of its
        gradient (`skdl._touched.RowGradient`).

    Examples
    --------
    >>> from skdl.layers import BatchNorm, Dense, ParamSpec
    >>> _, specs = Dense(3).build((4,))
    >>> specs["W"].shape, specs["W"].penalised, specs["b"].penalised
    ((4, 3), True, False)
    >>> _, specs = BatchNorm().build((4,))
    >>> [name for name, spec in specs.items() if not spec.trainable]
    ['running_mean', 'running_variance']
    >>> ParamSpec((3,), "zeros").rate
    1.0
    """

    shape: Shape
    initializer: str | Initializer = "auto"
    trainable: bool = True
    penalised: bool = False
    rate: float = 1.0
    suggested: str | None = None
    sparse: bool = False


class Inside(NamedTuple):
    """A layer inside another one.

    Attributes
    ----------
    key : str
        Its key among the specs of the outer layer, such as "0" or "skip.0".
    layer : Layer
        The layer.
    input_shape : tuple of int
        Shape of one sample of its input.

    Examples
    --------
    >>> from skdl.layers import Dense, Inside, Residual
    >>> item = Inside("2", Residual([Dense(8), "tanh"]).settled(), (8,))
    >>> [inner.key for inner in item.walk()]
    ['2', '2.0', '2.1']
    """

    key: str
    layer: Layer
    input_shape: Shape

    def walk(self) -> Iterator[Inside]:
        """Yield this layer and those in it.

        Yields
        ------
        item : Inside
            A layer with its key from here, such as "3.skip.0"; before those that it
            holds.
        """
        yield self
        for chain in self.layer.inside(self.input_shape):
            for inner in chain:
                yield from inner._replace(key=f"{self.key}.{inner.key}").walk()


class TooSmallError(ValueError):
    """A layer needs an input of more pixels or steps than it gets.

    Examples
    --------
    >>> from skdl.layers import Conv2D, MaxPool2D, TooSmallError
    >>> from skdl.networks import Network
    >>> try:
    ...     Network([Conv2D(8), MaxPool2D(2), Conv2D(8)], (6, 6, 1))
    ... except TooSmallError as error:
    ...     print(str(error).split(". ")[-1])
    The smallest input that fits is (8, 8, 1).
    """


class Layer(ParameterObject):
    """Base of layers: hyper-parameters alone; arrays and caches live outside.

    A subclass defines `build`, `forward` and `backward`. The arrays of an affine map
    are called "W" (its weights) and "b" (its biases).

    Attributes
    ----------
    accepts_sparse : bool
        Whether the input may be a SciPy sparse matrix (of a first layer, that is).
    accepts_integers : bool
        Whether the layer takes numbers of any type as they come (of a first layer, that
        is): token ids, the bytes of pictures. Other layers get them in the network's
        type, batch by batch.
    fuses_floor : bool
        Whether its forward pass heeds ``ctx.floor``: a ReLU behind it then costs no
        pass over memory of its own.
    unfuses_floor : bool
        Whether its backward pass heeds what its forward pass has fused: the ReLU behind
        it has nothing left to do there either.
    fuses_sum : bool
        Whether its forward pass heeds ``ctx.other``: an addition to its output then
        costs no pass of its own.
    fuses_gradients : bool
        Whether its backward pass heeds ``ctx.other``: an addition to its gradient then
        costs no pass of its own. It sets it to None before anything else.
    gives_moments, takes_moments : bool
        Whether it heeds ``ctx.moments`` in its forward pass, while training, and leaves
        the moments of its output there; whether it takes those of its input.
    floor : float or None
        A layer that is max(x, floor) says so; None for all others.
    is_side : bool
        Whether the layers inside lead to an output of their own, in training only; to
        those behind it the layer is the identity.
    undoes_floor : bool
        Whether its backward pass heeds ``ctx.floor``: of a ReLU in front of it, whose
        own then has nothing left to do.
    gives_rows, takes_rows : bool
        Whether it heeds ``ctx.as_rows`` in its forward pass, by which it may give rows
        of a table in place of an array (`skdl.layers._rows.Rows`); whether it takes
        them, and returns the gradient of the table.
    calls_kernels : bool
        Whether all that its forward pass does to the numbers of a single sample, in
        predictions with compiled code, are calls of such code on memory of the context:
        they can be made again for another sample.
    is_affine : bool
        Whether it is an affine map with weights "W": the activation that follows it
        suits the start of its weights, and of none before it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense, Layer
    >>> from skdl.networks import Network
    >>> class Centre(Layer):  # no arrays of its own, the shape stays
    ...     def forward(self, params, x, ctx):
    ...         return x - x.mean(axis=-1, keepdims=True), None
    ...     def backward(self, params, grads, cache, dy, ctx):
    ...         return dy - dy.mean(axis=-1, keepdims=True)
    >>> Network([Centre()], (3,)).predict(np.array([[1.0, 2.0, 6.0]]))
    array([[-2., -1.,  3.]])
    >>> from skdl import MLPClassifier
    >>> model = MLPClassifier([Centre(), Dense(10), "relu"])
    """

    accepts_sparse: ClassVar[bool] = False
    accepts_integers: ClassVar[bool] = False
    is_side: ClassVar[bool] = False
    is_affine: ClassVar[bool] = False
    gives_rows: ClassVar[bool] = False
    takes_rows: ClassVar[bool] = False
    fuses_floor: ClassVar[bool] = False
    unfuses_floor: ClassVar[bool] = False
    fuses_sum: ClassVar[bool] = False
    fuses_gradients: ClassVar[bool] = False
    gives_moments: ClassVar[bool] = False
    takes_moments: ClassVar[bool] = False
    undoes_floor: ClassVar[bool] = False
    calls_kernels: ClassVar[bool] = False

    # What a network says of its own copy of a layer, see `skdl.networks.set_rates`:
    # what its learning rate is multiplied by; whether its arrays stay as they are.
    _rate: float = 1.0
    _frozen: bool = False

    @property
    def floor(self) -> float | None:
        """See the attributes of the class."""
        return None

    @classmethod
    def heeds(cls, flag: str, method: str = "forward") -> bool:
        """Return whether an attribute of the class is true of its pass.

        A subclass with a pass of its own has to say again what holds for that.

        Parameters
        ----------
        flag : str
            Name of the attribute, such as "fuses_floor".
        method : {"forward", "backward"}, default="forward"
            What it speaks of.

        Returns
        -------
        heeds : bool
            Whether the class that defines the pass, or a subclass of that, says so.
        """
        for kind in cls.__mro__:
            if flag in vars(kind):
                return bool(vars(kind)[flag])
            if method in vars(kind):
                return False
        return False

    def replays(self, input_shape: Shape) -> bool:
        """Return whether `calls_kernels` is true of samples of a shape.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        replays : bool
            Whether predictions may be made by calling again what was called before.
        """
        return self.heeds("calls_kernels")

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        """Say what the layer needs.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        output_shape : tuple of int
            Shape of one sample of the output.
        specs : dict
            Parameter names mapped to ``(shape, initializer)`` or `ParamSpec`; layers
            that hold layers nest the dictionaries. The initializer "auto" is chosen by
            the activation that follows.

        Raises
        ------
        ValueError
            If a hyper-parameter or the input's shape is out of range; `TooSmallError`
            if it would fit with more pixels or steps.
        """
        return input_shape, {}

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        """Compute the output.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays that `build` asked for.
        x : ndarray of shape (n,) + input_shape
            Input; it must not be changed.
        ctx : Context
            Mode, randomness and memory.

        Returns
        -------
        y : ndarray of shape (n,) + output_shape
            Output.
        cache : object
            What `backward` needs; None unless ``ctx.train``.
        """
        raise TypeError(f"{type(self).__name__} must define forward.")

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        """Write the gradients of the parameters, return that of the input.

        Parameters
        ----------
        params, grads : mapping of str to ndarray
            The parameters, and the arrays that receive their gradients.
        cache : object
            What `forward` returned.
        dy : ndarray of shape (n,) + output_shape
            Gradient with respect to the output; it must not be changed.
        ctx : Context
            The context of the forward pass.

        Returns
        -------
        dx : ndarray of shape (n,) + input_shape or None
            Gradient with respect to the input; None where ``ctx.want_dx`` is False
            and it would cost.
        """
        raise TypeError(f"{type(self).__name__} must define backward.")

    def mirror(self, input_shape: Shape) -> Layer | None:
        """Return the layer that takes its place in a decoder.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        layer : Layer or None
            From the shape of its output to that of its input; None where they are the
            same, and a copy of the layer itself stands there.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.build(input_shape)[0] != input_shape:
            raise ValueError("it has no mirror image.")
        return None

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        """Return the layer, told what leads to raw predictions.

        Parameters
        ----------
        head : callable
            Gives the last layers for the shape of a sample in front of them.

        Returns
        -------
        layer : Layer
            A layer that has no output of its own is returned as it is.
        """
        return self

    def predicting(self) -> Layer:
        """Return a layer that does in training what this one does in prediction.

        So predictions can be differentiated. It uses the same arrays, or fewer.

        Returns
        -------
        layer : Layer
            This layer, if it does the same in both.
        """
        return self

    # ---- what tells about a network, see `skdl.networks.describe`

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        """Return the layers inside this one: chains, all of which get its input.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        chains : list of list of Inside
            Empty for layers that hold none.
        """
        return []

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        """Return which positions of the input each position of the output looks at.

        Not by way of the layers inside, which say so themselves.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample; all axes but the last one are positions.

        Returns
        -------
        windows : tuple of Axis or Spread, or None
            One an axis; by default each position sees itself alone. None: there is no
            way but through the layers inside.
        """
        return tuple(Axis(n, n, 1) for n in input_shape[:-1])

    def multiply_adds(self, input_shape: Shape) -> int:
        """Return how many products of weights a sample costs, those inside left out.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        number : int
            Products that are added up, in prediction.
        """
        return 0

    def check_trainable(self) -> None:
        """Raise if a gradient cannot pass through the layer.

        Raises
        ------
        ValueError
            If it cannot.
        """


class _LayerRegistry(Registry[Layer]):
    """Layers by name, and activations by theirs: "relu" is ``Activation("relu")``."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in activations.registry

    def _taken(self, name: str) -> bool:
        return name in self  # a layer would hide the activation of its name

    def get(self, spec: str | Layer | Any) -> Layer:
        if not isinstance(spec, str) or super().__contains__(spec):
            return super().get(spec)
        if spec not in self:
            raise ValueError(
                f"Unknown layer {spec!r}. "
                f"Known layers: {self.listed()}; "
                f"activations work too: {activations.registry.listed()}."
                f"{self.close_to(spec) or activations.registry.close_to(spec)}"
            )
        return super().get("activation").set_params(function=spec)


registry = _LayerRegistry("layer", Layer)
register = registry.register
get = registry.get
names = registry.names
