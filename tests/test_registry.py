import pytest

from rnn_ref.registry import Registry


class Plain:
    def __call__(self, x):
        return x

    def get_config(self):
        return {}


def double(x):
    return 2 * x


REGISTRY = Registry("scaling", [Plain], {"same": Plain, "double": double})


@pytest.mark.parametrize("identifier", ["Plain", "plain", "same", Plain, {"class_name": "Plain", "config": {}}])
def test_get_finds_a_class_by_every_name(identifier):
    assert isinstance(REGISTRY.get(identifier), Plain)


def test_get_returns_none_instances_and_functions_unchanged():
    plain = Plain()
    assert REGISTRY.get(None) is None
    assert REGISTRY.get(plain) is plain
    assert REGISTRY.get(double) is double
    assert REGISTRY.get("double") is double


def test_functions_are_saved_by_name():
    config = REGISTRY.serialize(double)
    assert REGISTRY.deserialize(config) is double
    assert REGISTRY.deserialize({**config, "config": "triple"}, {"triple": print}) is print


def test_a_lambda_cannot_be_saved():
    with pytest.raises(ValueError, match="get_config"):
        REGISTRY.serialize(lambda x: x)


def test_custom_objects_come_first():
    class Other(Plain):
        pass

    assert isinstance(REGISTRY.deserialize("Plain", {"Plain": Other}), Other)
    assert isinstance(REGISTRY.deserialize(REGISTRY.serialize(Other()), {"Other": Other}), Other)


def test_errors_name_what_came_and_what_is_known():
    with pytest.raises(ValueError, match=r"'Plane' \(did you mean 'plain'\?\).*double, plain, same"):
        REGISTRY.get("Plane")
    with pytest.raises(ValueError, match="got 3 of type int"):
        REGISTRY.get(3)
    with pytest.raises(ValueError, match=r"got the keys \['name'\]"):
        REGISTRY.get({"name": "plain"})
