"""Files of Keras: archives ``.keras``, weights ``.weights.h5``, and the ``.h5`` of tf.keras 2."""
