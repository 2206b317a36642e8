"""What a type checker must understand of code that uses rnn_ref; mypy reads this file, nobody runs it."""

from typing import assert_type

import numpy as np

import rnn_ref as keras
from rnn_ref import datasets, layers

x, y = np.ones((8, 5, 2)), np.zeros((8, 1))

model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(4, name="memory", return_sequences=True), layers.GRU(3)])
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse", metrics=["mae"])
history = model.fit(x, y, epochs=2, batch_size=4, validation_split=0.1, callbacks=[keras.callbacks.EarlyStopping()])
model.evaluate(x, y, verbose=0)
print(model.predict(x).shape)
model.summary()
model.save("model.keras")
assert_type(model.count_params(), int)

inputs = keras.Input((None,), dtype="int32")
outputs = layers.Bidirectional(layers.LSTM(4))(layers.Embedding(10, 3, mask_zero=True)(inputs))
functional = keras.Model(inputs, layers.Dense(2)(outputs))

seen = keras.trace(model, x)
assert_type(seen, keras.Trace)
print(keras.gradient_flow(model, x, y)["memory"].norm.shape)
keras.state_jacobians(model, x)
keras.saturation(model, x)
keras.weight_report(model)
print(keras.derive_parameters(model).total)
keras.check_gradients(model, x)["kernel"] + 1.0
keras.explain_step(model, x, t=1, unit=0).save_html("page.html")
keras.plot.gates(seen).savefig("gates.png")
keras.plot.figure_alt(keras.plot.history(history)).upper()
keras.zoo.PeepholeLSTM(4, return_sequences=True)
keras.sweep(lambda seed: 1.0, {}, seeds=range(3)).summary()
keras.utils.set_random_seed(0)
years, sunspots = datasets.load_sunspots()
assert_type(keras.preprocessing.sequence.pad_sequences([[1], [2, 3]]), np.ndarray)


@keras.cell(gates=("forget", "candidate"))
def leaky(z_f, z_c, h_prev):
    h = z_f * h_prev + z_c
    return h


leaky(8, return_sequences=True)(x)
