"""Data for validation, and class weights."""

from tests.models.data.ways import LABELS, PAIR, B, F, W, X, Y, batches, dataset, endless, fit, loader, way


@way
def validation_split(k, make):
    return fit(make("one"), X, Y, sample_weight=W, validation_split=0.25, epochs=2)


@way
def validation_split_in_batches_of_its_own(k, make):
    return fit(make("one"), X, Y, validation_split=0.5, batch_size=3, validation_batch_size=2, validation_steps=1)


@way
def validation_split_in_steps(k, make):
    return fit(make("one"), X, Y, validation_split=0.5, validation_steps=2)


@way
def validation_split_of_a_dict(k, make):
    return fit(make("pair"), PAIR, [Y, 2 * Y], validation_split=0.25)


@way
def validation_split_leaves_nothing(k, make):
    return fit(make("one"), X, Y, validation_split=0.99)


@way
def validation_split_of_a_generator(k, make):
    return fit(make("one"), batches(X, Y), validation_split=0.25)


@way
def validation_tuple(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), epochs=2)


@way
def validation_list(k, make):
    return fit(make("one"), X, Y, validation_data=[X, 2 * Y])


@way
def validation_with_weights(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y, W), validation_batch_size=5)


@way
def validation_of_four(k, make):
    return fit(make("one"), X, Y, validation_data=(X, Y, W, W))


@way
def validation_by_name(k, make):
    return fit(make("pair"), PAIR, {"p": Y, "q": Y}, validation_data=(PAIR, {"p": Y, "q": Y}))


@way
def validation_steps_with_arrays(k, make):
    return fit(make("one"), X, Y, batch_size=B, validation_data=(X, 2 * Y), validation_steps=2, epochs=2)


@way
def validation_freq(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), validation_freq=2, epochs=5)


@way
def validation_in_listed_epochs(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), validation_freq=[1, 4], epochs=5)


@way
def validation_generator(k, make):
    return fit(make("one"), X, Y, validation_data=batches(X, 2 * Y, size=6), epochs=3)


@way
def validation_by_an_endless_generator(k, make):
    return fit(make("one"), X, Y, validation_data=endless(X, 2 * Y), validation_steps=2, epochs=3)


@way
def validation_dataset(k, make):
    return fit(make("one"), X, Y, validation_data=dataset(k, X, 2 * Y), epochs=2)


@way
def validation_loader(k, make):
    return fit(make("one"), X, Y, validation_data=loader(X, 2 * Y), epochs=2)


@way
def class_weights(k, make):
    return fit(make("classes"), X, LABELS, class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_with_a_split(k, make):
    return fit(make("classes"), X, LABELS[:, 0], class_weight={0: 1.0, 1: 5.0}, validation_split=0.25)


@way
def class_weights_and_sample_weights(k, make):
    return fit(make("classes"), X, LABELS, class_weight={0: 2.0}, sample_weight=W)


@way
def class_weights_for_two_outputs(k, make):
    return fit(make("pair"), [X, F], [Y, Y], class_weight={0: 2.0})


@way
def class_weights_of_a_dataset(k, make):
    return fit(make("classes"), dataset(k, X, LABELS), class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_of_a_weighted_dataset(k, make):
    return fit(make("classes"), dataset(k, X, LABELS, W), class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_of_a_generator(k, make):
    return fit(make("classes"), batches(X, LABELS), class_weight={0: 1.0, 1: 5.0})
