"""What stands for reading and writing models, until there are files."""

from __future__ import annotations


class Files:
    """Methods that say how to keep a model without a file of Keras's."""

    name: str

    def save(self, *arguments, **options) -> None:
        """Files are not there yet; the error says how to keep a model until then."""
        raise NotImplementedError(
            f"{self.name}: writing Keras's files is not there yet. Keep the model with pickle.dump(model, file), or "
            "its weights with numpy.savez(path, *model.get_weights()) and its structure with model.get_config()."
        )

    export = save_weights = save

    def load_weights(self, *arguments, **options) -> None:
        """Files are not there yet; the error says how to take weights over."""
        raise NotImplementedError(
            f"{self.name}: reading Keras's files is not there yet. Use model.set_weights(arrays); those of a Keras "
            "model come from its get_weights(), in the same order."
        )
