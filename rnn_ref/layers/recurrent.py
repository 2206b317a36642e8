"""What every recurrent layer does around its cell: shapes, states, direction, and which outputs to return."""

from __future__ import annotations

import numpy as np

from rnn_ref.layers.layer import Layer, LayerGradients


class Recurrent(Layer):
    """A cell run over the time axis.

    Input ``(B, T, F)``; output ``(B, H)``, or ``(B, T, H)`` with ``return_sequences``; with ``return_state`` a
    list of the output and every final state ``(B, H)``. With ``go_backwards`` the sequence is read from its end,
    and outputs stand in the order they were computed.
    """

    def __init__(
        self,
        cell,
        *,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        use_cudnn="auto",
        activity_regularizer=None,
        **layer_options,
    ):
        super().__init__(**layer_options)
        for name, value in (
            ("stateful", stateful),
            ("unroll", unroll),
            ("activity_regularizer", activity_regularizer),
        ):
            if value:
                raise NotImplementedError(
                    f"{self.name}: {name}={value!r} is not supported yet; leave it out."
                )
        if use_cudnn is True:
            raise ValueError(f"{self.name}: use_cudnn=True, but there is no cuDNN here; leave it at 'auto'.")
        self.cell = cell
        cell.name = f"{self.name}/{cell.name}"
        cell.dtype = self.dtype
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = False
        self.unroll = False
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def __getattr__(self, name):
        # Options and weights of the cell (units, activation, kernel, ...) read as the layer's own, as in Keras.
        if name.startswith("_") or "cell" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.cell, name)

    def build(self, input_shape) -> None:
        self.check_rank(input_shape)
        if input_shape[-1] is None:
            raise ValueError(
                f"{self.name}: the number of features (last axis) must be known, got {input_shape}."
            )
        self.cell.dtype = self.dtype
        self.cell.ensure_built(input_shape)

    def named_weights(self) -> dict:
        return self.cell.named_weights()

    def trainable_named_weights(self) -> dict:
        return self.cell.trainable_named_weights() if self.trainable else {}

    def rank_message(self, shape, rank: int) -> str:
        return (
            f"{self.name}: expected (batch, time, features), got shape {tuple(shape)}. If a recurrent layer comes "
            "before this one, set return_sequences=True on it, so that it returns all time steps."
        )

    def check_rank(self, shape) -> None:
        if len(shape) != 3:
            raise ValueError(self.rank_message(shape, 3))

    def check_states(self, states, B: int) -> list[np.ndarray]:
        """One ``(B, H)`` array for each state."""
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        names = self.cell.STATES
        if len(states) != len(names):
            raise ValueError(
                f"{self.name}: initial_state needs {len(names)} arrays ({', '.join(names)}), got {len(states)}."
            )
        states = [np.asarray(state, self.dtype) for state in states]
        for name, state in zip(names, states):
            if state.shape != (B, self.units):
                raise ValueError(
                    f"{self.name}: initial {name} state has shape {state.shape}, expected {(B, self.units)}."
                )
        return states

    def forward(self, x, *, initial_state=None, training: bool = False, keep_z: bool = False):
        """Run the layer.

        Parameters
        ----------
        x : ndarray, (B, T, F)
        initial_state : list of ndarray, each (B, H), optional
            Zeros when absent.
        training : bool
        keep_z : bool
            Keep the pre-activations on the tape.

        Returns
        -------
        outputs : ndarray or list of ndarray
        tape : rnn_ref.kernels.tape.Tape
            Time-major, in the order the steps were computed.
        """
        x = self.as_input(x, rank=3)
        B, T, F = x.shape
        self.check_features(F, self.kernel.shape[0])
        if T == 0:
            raise ValueError(f"{self.name}: got shape {x.shape}: zero time steps; at least one is needed.")
        states = (
            self.cell.get_initial_state(B) if initial_state is None else self.check_states(initial_state, B)
        )
        x = x.transpose(1, 0, 2)
        tape = self.cell.run(np.ascontiguousarray(x[::-1] if self.go_backwards else x), states, keep_z=keep_z)
        y = tape.h[1:].transpose(1, 0, 2) if self.return_sequences else tape.h[-1].copy()
        if not self.return_state:
            return y, tape
        return [y, *(state[-1].copy() for state in tape.states)], tape

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Backpropagation through time.

        Parameters
        ----------
        tape : Tape
            From :meth:`forward`.
        grads : ndarray or list of ndarray
            dL/d(outputs), in the structure of the outputs; None stands for zero.
        input_gradient : bool
            Whether to compute dL/dx.

        Returns
        -------
        LayerGradients
        """
        dy, *dstates = grads if isinstance(grads, (list, tuple)) else [grads]
        expected = len(self.cell.STATES) if self.return_state else 0
        if len(dstates) != expected:
            raise ValueError(
                f"{self.name}: backward got {1 + len(dstates)} gradients, expected {1 + expected}, one for each output."
            )
        T, B = tape.x.shape[:2]
        dh = np.zeros_like(tape.h)
        if dy is not None:
            dy = np.asarray(dy, self.dtype)
            y_shape = (B, T, self.units) if self.return_sequences else (B, self.units)
            if dy.shape != y_shape:
                raise ValueError(
                    f"{self.name}: the output gradient has shape {dy.shape}, expected {y_shape}."
                )
            if self.return_sequences:
                dh[1:] = dy.transpose(1, 0, 2)
            else:
                dh[-1] = dy
        zero = np.zeros_like(dh[0])
        dstates = [zero if d is None else np.asarray(d, self.dtype) for d in dstates] or [zero] * len(
            tape.states
        )
        dh[-1] += dstates[0]
        flow = self.cell.run_back(tape, dh, dstates[1:], input_gradient=input_gradient)
        dx = flow.dx
        if dx is not None:
            dx = (dx[::-1] if self.go_backwards else dx).transpose(1, 0, 2)
        weights = {"kernel": flow.dW, "recurrent_kernel": flow.dU}
        if flow.db is not None:
            weights["bias"] = flow.db
        return LayerGradients(dx, weights, [d[0] for d in flow.dstates], flow)

    def compute_output_shape(self, input_shape):
        self.check_rank(input_shape)
        B, T, _ = input_shape
        y = (B, T, self.units) if self.return_sequences else (B, self.units)
        return (y, *[(B, self.units)] * len(self.cell.STATES)) if self.return_state else y

    def get_config(self) -> dict:
        cell = {k: v for k, v in self.cell.get_config().items() if k not in ("name", "trainable", "dtype")}
        return (
            super().get_config()
            | cell
            | {
                "return_sequences": self.return_sequences,
                "return_state": self.return_state,
                "go_backwards": self.go_backwards,
                "stateful": self.stateful,
                "unroll": self.unroll,
            }
        )
