"""MultiHeadAttention: several attentions in parallel, each with projections of its own."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref import checks, random
from rnn_ref.device import xp
from rnn_ref.equations.rows import d_softmax, softmax
from rnn_ref.kernels.gate import admitted
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.affine import affine, d_affine
from rnn_ref.layers.attention_axes import AttentionAxes
from rnn_ref.layers.attention_masks import allowed_scores
from rnn_ref.layers.dropout import draw_mask
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.matmul import matmul
from rnn_ref.layers.multi_head_tape import MultiHeadAttentionTape
from rnn_ref.layers.several_inputs import as_arrays
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS, is_shape

_sigmoid = activations.get("sigmoid")
FAR_BELOW = -1e9  # Keras's constant, which replaces masked scores so that their softmax is 0
EXPECTED = "query, value and perhaps key"


class MultiHeadAttention(Layer):
    """Attention with several heads.

        q = query Wq + bq,    k = key Wk + bk,    v = value Wv + bv               for each head its own
        scores[t] = softmax_s(q[t] · k[s] / sqrt(D))                              only over the s that may be seen
        heads[t] = Σ_s dropout(scores)[t, s] v[s]
        y = Σ over heads and their features (heads Wo) + bo

    Called as ``layer(query, value, key)``: ``query (B, Tq, F)``, ``value (B, Tv, F')`` and, unless it is the value,
    ``key (B, Tv, F'')``. Self-attention is ``layer(x, x)``. Output ``(B, Tq, F)``. There may be several axes between
    batch and features: see ``attention_axes``.

    Weights: ``query/kernel (F, N, D)``, ``key/kernel (F'', N, D)``, ``value/kernel (F', N, H)``,
    ``attention_output/kernel (N, H, F)``, each with a bias; with ``use_gate`` also ``gate/kernel (F, N, H)``.

    Parameters
    ----------
    num_heads : int
        N, the number of heads.
    key_dim : int
        D, the number of features of query and key in each head.
    value_dim : int, optional
        H, the number of features of the value in each head; by default D.
    dropout : float
        Fraction of the scores dropped in training.
    use_bias : bool
    output_shape : int or tuple of int, optional
        Number of output features, by default that of the query.
    attention_axes : int or tuple of int, optional
        The axes to attend over; by default all between batch and features. Along the others a query sees only its own
        position.
    sliding_window : int, optional
        Step t attends only to steps less than this far away; for a single attended axis.
    use_gate : bool
        Multiply the heads' results by a gate, ``sigmoid(query Wg + bg)``, before the last product.
    flash_attention
        Only None or False.
    kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer
    kernel_constraint, bias_constraint
        For all projections.
    seed : int or numpy.random.Generator, optional
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762;
    https://keras.io/api/layers/attention_layers/multi_head_attention/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    >>> x = np.ones((1, 4, 8))
    >>> y, scores = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    >>> y.shape, scores.shape
    ((1, 4, 8), (1, 2, 4, 4))
    >>> scores[0, 0, 1]
    array([0.5, 0.5, 0. , 0. ], dtype=float32)
    """

    supports_masking = True
    takes_mask = True
    inputs_by_position = True  # a call takes query, value and key as separate arguments, not in a list
    call_arguments = (
        "query_mask", "value_mask", "key_mask", "attention_mask", "return_attention_scores", "training",
        "use_causal_mask",
    )  # fmt: skip

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **layer_options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **layer_options)
        self.num_heads = checks.positive_integer(num_heads, "num_heads", self.name)
        self.key_dim = checks.positive_integer(key_dim, "key_dim", self.name)
        self.value_dim = checks.positive_integer(key_dim if value_dim is None else value_dim, "value_dim", self.name)
        self.dropout = checks.fraction(dropout, "dropout", self.name)
        self.use_bias = checks.flag(use_bias, "use_bias", self.name)
        self.use_gate = checks.flag(use_gate, "use_gate", self.name)
        sizes = (output_shape,) if isinstance(output_shape, (int, np.integer)) else output_shape
        if sizes is not None and not isinstance(sizes, (tuple, list)):
            raise ValueError(f"{self.name}: output_shape must be a number or a tuple of numbers, got {output_shape!r}.")
        self.features = tuple(checks.positive_integer(n, "output_shape", self.name) for n in sizes) if sizes else None
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        if axes is not None and (not isinstance(axes, (tuple, list)) or not all(isinstance(k, int) for k in axes)):
            raise ValueError(
                f"{self.name}: attention_axes must be a number or a tuple of numbers, got {attention_axes!r}."
            )
        self.attention_axes = None if axes is None else tuple(axes)
        self.sliding_window = (
            None if sliding_window is None else checks.positive_integer(sliding_window, "sliding_window", self.name)
        )
        if flash_attention is not None and checks.flag(flash_attention, "flash_attention", self.name):
            raise ValueError(f"{self.name}: flash_attention=True is for GPU kernels of other backends; leave it out.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = random.from_config(seed)
        self._generator = random.make(self.seed)

    # -- weights ------------------------------------------------------------------------------------

    def check_shapes(self, shapes) -> None:
        """Check that query, value and key fit together."""
        if is_shape(shapes) or len(shapes) not in (2, 3):
            raise ValueError(f"{self.name}: is called with {EXPECTED}: layer(x, x) for self-attention; got {shapes}.")
        query, value, key = (*shapes, shapes[1])[:3]
        for what, shape in (("query", query), ("value", value), ("key", key)):
            if len(shape) < 3:
                raise ValueError(
                    f"{self.name}: {what} must have 3 axes (B, T, features) or more, got shape {tuple(shape)}. "
                    + NEEDS_ALL_STEPS
                )
        described = f"got query {tuple(query)}, value {tuple(value)}, key {tuple(key)}."
        if not len(query) == len(value) == len(key):
            raise ValueError(f"{self.name}: query, value and key must have as many axes; {described}")
        axes = self._axes(len(query))
        for what, pairs in (
            ("batch sizes of query, value and key", [(query[:1], value[:1]), (query[:1], key[:1])]),
            ("sizes of value and key, but for the features,", [(value[1:-1], key[1:-1])]),
            ("axes that are not attended to", [(axes.sizes(query)[0], axes.sizes(value)[0])]),
        ):
            if any(None not in (a, b) and a != b for one, other in pairs for a, b in zip(one, other)):
                raise ValueError(f"{self.name}: the {what} must be equal; {described}")

    def _axes(self, rank: int) -> AttentionAxes:
        return AttentionAxes.of(self.attention_axes, rank, self.name)

    def build(self, query_shape, value_shape=None, key_shape=None) -> None:
        """Make the weights, given three shapes as in Keras, or a list of them."""
        shapes = query_shape if value_shape is None else [s for s in (query_shape, value_shape, key_shape) if s]
        self.check_shapes(shapes)
        query, value, key = (shape[-1] for shape in (*shapes, shapes[1])[:3])
        if None in (query, value, key):
            raise ValueError(f"{self.name}: the features must be known, got shapes {shapes}.")
        N, D, H = self.num_heads, self.key_dim, self.value_dim
        features = self.features or (query,)
        self._make("query", (query, N, D), (N, D))
        self._make("key", (key, N, D), (N, D))
        if self.use_gate:
            self._make("gate", (query, N, H), (N, H))
        self._make("value", (value, N, H), (N, H))
        self._make("attention_output", (N, H, *features), features)
        self._widths = (query, value, key)

    def _make(self, part: str, kernel: tuple, bias: tuple) -> None:
        # Each projection draws different numbers: an initializer without a seed takes a new one when it is cloned.
        clone = getattr(self.kernel_initializer, "clone", lambda: self.kernel_initializer)
        options = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.add_weight(kernel, clone(), f"{part}/kernel", **options).name = "kernel"
        if self.use_bias:
            options = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.add_weight(bias, self.bias_initializer, f"{part}/bias", **options).name = "bias"

    def _matrix(self, part: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Kernel and bias of a projection as a matrix and a vector."""
        W = self._weights[f"{part}/kernel"].value
        rows = W.shape[0] * W.shape[1] if part == "attention_output" else W.shape[0]
        b = self._weights[f"{part}/bias"].value.reshape(-1) if self.use_bias else None
        return W.reshape(rows, -1), b

    # -- running ------------------------------------------------------------------------------------

    def __call__(self, query, value=None, key=None, *masks, **arguments):
        """Run the layer on arrays, or connect it to symbolic tensors: ``layer(query, value, key)``."""
        if value is None:
            raise ValueError(
                f"{self.name}: is called with {EXPECTED}: layer(x, x) for self-attention; got a query only."
            )
        return super().__call__([query, value] if key is None else [query, value, key], *masks, **arguments)

    def run(self, x, *, return_attention_scores: bool = False, **arguments):
        outputs, tape, mask = super().run(x, return_attention_scores=return_attention_scores, **arguments)
        return outputs, tape, [mask, None] if return_attention_scores else mask

    def forward(
        self,
        x,
        *,
        mask=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
        drop=None,
    ):
        """Run the layer.

        Parameters
        ----------
        x : list of ndarray
            ``query (B, Tq, F)``, ``value (B, Tv, F')``, and optionally ``key (B, Tv, F'')``; with further axes,
            ``query (B, ..., F)``.
        mask : list of ndarray of bool or None, optional
            The masks of the inputs, used where none is given by name.
        query_mask : ndarray of bool, (B, Tq), optional
        value_mask, key_mask : ndarray of bool, (B, Tv), optional
            Steps that are False are not attended to.
        attention_mask : ndarray of bool, (B, Tq, Tv) or (B, N, Tq, Tv), optional
            False where a query must not attend. For several attended axes ``(B, *axes of query, *axes of value)``,
            optionally with the free axes, or these and N, after the batch.
        return_attention_scores : bool
            Return ``[y, scores]``, the scores before dropout.
        training : bool
            Whether to apply dropout.
        use_causal_mask : bool
            Step t attends only to steps up to t.
        drop : ndarray, (B, N, Tq, Tv), optional
            The dropout mask, instead of a drawn one.

        Returns
        -------
        y : ndarray, (B, Tq, F)
            Or ``[y, scores]``.
        tape : MultiHeadAttentionTape
        """
        arrays = as_arrays(self, x, EXPECTED)
        query, value, key = (*arrays, arrays[1])[:3]
        for what, array, width in zip(("query", "value", "key"), (query, value, key), self._widths):
            if array.shape[-1] != width:
                raise ValueError(
                    f"{self.name}: expected {width} features in the {what} (as it was built), got {array.shape[-1]}."
                )
        masks = [None] * 3 if mask is None else list((*mask, None)[:3])
        given = (query_mask, value_mask, key_mask)
        masks = [found if named is None else named for found, named in zip(masks, given)]
        axes, shapes = self._axes(query.ndim), (query.shape, value.shape, key.shape)
        allowed = allowed_scores(self, axes, masks, attention_mask, use_causal_mask, *shapes[:2])
        query, value, key = axes.fold(query), axes.fold(value), axes.fold(key)
        q, k, v = (self._project(part, a) for part, a in (("query", query), ("key", key), ("value", value)))
        q = q * np.dtype(self.dtype).type(1 / math.sqrt(self.key_dim))
        z = matmul(q, k.swapaxes(2, 3))
        weights = softmax(z if allowed is None else xp.where(allowed, z, np.dtype(self.dtype).type(FAR_BELOW)))
        if allowed is not None:
            weights = xp.where(allowed, weights, 0)  # also where everything is masked
        if drop is None and training and self.dropout > 0:
            drop = draw_mask(self._generator, z.shape, self.dropout, self.dtype)
        scores = weights if drop is None else weights * xp.asarray(drop, self.dtype)
        B, Tq, _ = query.shape
        heads = xp.ascontiguousarray(matmul(scores, v).swapaxes(1, 2)).reshape(B, Tq, -1)
        gate = _sigmoid(affine(query, *self._matrix("gate"))) if self.use_gate else None
        y = affine(heads if gate is None else heads * gate, *self._matrix("attention_output"), owner=self.name)
        y = axes.unfold(y, shapes[0], *(self.features or y.shape[2:]))
        tape = MultiHeadAttentionTape(
            query, value, key, q, k, v, weights, scores, drop, heads, gate, allowed, len(arrays) == 3, axes, shapes
        )
        if not return_attention_scores:
            return y, tape
        return [y, weights.reshape(axes.scores_shape(*shapes[:2], self.num_heads))], tape

    def _project(self, part: str, x) -> np.ndarray:
        """``(B, T, F)`` -> ``(B, N, T, D)``."""
        B, T, _ = x.shape
        return affine(x, *self._matrix(part), owner=self.name).reshape(B, T, self.num_heads, -1).swapaxes(1, 2)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/dy (B, Tq, F), or a list with dL/dscores (B, N, Tq, Tv) as well, -> dL/dinputs and weight gradients.

        ``inputs`` of the result has three arrays, for query, value and key, if a key was given; otherwise two, and
        the value's gradient covers both its uses.
        """
        dy, dscores = grads if isinstance(grads, (list, tuple)) else (grads, None)
        weights: dict = {}
        B, Tq, _ = tape.query.shape
        shape = (*tape.shapes[0][:-1], *(self.features or self._widths[:1]))
        dy = xp.zeros(shape) if dy is None else dy
        dy = admitted(dy, shape, self.dtype, self.name, "the gradient of the output")
        dy = tape.axes.fold(dy.reshape(*tape.shapes[0][:-1], -1))
        gated = tape.heads if tape.gate is None else tape.heads * tape.gate
        dheads = self._project_back("attention_output", gated, dy, weights)
        dquery_of_gate = 0
        if tape.gate is not None:
            dz = dheads * tape.heads * tape.gate * (1 - tape.gate)
            dquery_of_gate = self._project_back("gate", tape.query, dz, weights)
            dheads = dheads * tape.gate
        dheads = dheads.reshape(B, Tq, self.num_heads, self.value_dim).swapaxes(1, 2)
        # heads = scores @ v,  scores = drop softmax(z)
        dv = matmul(tape.scores.swapaxes(2, 3), dheads)
        dweights = matmul(dheads, tape.v.swapaxes(2, 3))
        if tape.drop is not None:
            dweights = dweights * tape.drop
        if dscores is not None:
            dweights = dweights + xp.asarray(dscores, self.dtype).reshape(dweights.shape)
        if tape.allowed is not None:
            dweights = xp.where(tape.allowed, dweights, 0)
        dz = d_softmax(tape.softmax, dweights)
        # z = q @ k'
        dq = matmul(dz, tape.k) * np.dtype(self.dtype).type(1 / math.sqrt(self.key_dim))
        dk = matmul(dz.swapaxes(2, 3), tape.q)
        dquery, dkey, dvalue = (
            self._project_back(part, x, d.swapaxes(1, 2).reshape(*x.shape[:2], -1), weights)
            for part, x, d in (("query", tape.query, dq), ("key", tape.key, dk), ("value", tape.value, dv))
        )
        dquery = dquery + dquery_of_gate
        dquery, dvalue, dkey = (
            tape.axes.unfold(d, shape, d.shape[-1]) for d, shape in zip((dquery, dvalue, dkey), tape.shapes)
        )
        inputs = [dquery, dvalue, dkey] if tape.own_key else [dquery, dvalue + dkey]
        return LayerGradients(inputs if input_gradient else None, {name: weights[name] for name in self._weights})

    def _project_back(self, part: str, x, dz, weights: dict) -> np.ndarray:
        """dL/dx of a projection; the gradients of its kernel and bias go into ``weights``."""
        dx, dW, db = d_affine(x, self._matrix(part)[0], dz, owner=self.name)
        weights[f"{part}/kernel"] = dW.reshape(self._weights[f"{part}/kernel"].shape)
        if self.use_bias:
            weights[f"{part}/bias"] = db.reshape(self._weights[f"{part}/bias"].shape)
        return dx

    # -- shapes, masks, configuration ---------------------------------------------------------------

    def compute_mask(self, inputs, mask=None):
        """The mask of the query."""
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape, *others):
        others = [shape for shape in others if shape is not None]  # separate, as in a call, or in a list
        shapes = [input_shape, *others] if others else input_shape
        self.check_shapes(shapes)
        return (*shapes[0][:-1], *(self.features or shapes[0][-1:]))

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output, and of the scores if the call asks for them."""
        shape = self.compute_output_shape(input_shape)
        if not arguments.get("return_attention_scores"):
            return shape
        return [shape, self._axes(len(input_shape[0])).scores_shape(*input_shape[:2], self.num_heads)]

    def get_config(self) -> dict:
        return super().get_config() | {
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "output_shape": self.features,
            "attention_axes": self.attention_axes,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": random.to_config(self.seed),
        }
