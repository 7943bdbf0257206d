"""Names and instances, aliases, errors that list what is known."""

import pytest

from skdl import activations, initializers, layers, losses, optimizers, schedules
from skdl._base import ParameterObject
from skdl._registry import Registry

FOLDERS = {
    "activation": activations,
    "initializer": initializers,
    "layer": layers,
    "loss": losses,
    "optimizer": optimizers,
    "schedule": schedules,
}
ALIASES = {
    "activation": {"linear": "identity", "logistic": "sigmoid"},
    "initializer": {"glorot_uniform": "xavier_uniform", "kaiming_normal": "he_normal"},
    "loss": {"log_loss": "cross_entropy", "squared": "squared_error"},
}


class Thing(ParameterObject):
    def __init__(self, size=1):
        self.size = size


@pytest.fixture
def things():
    registry = Registry("thing", Thing)
    registry.register("thing", "das_ding")(Thing)
    return registry


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_name_makes_an_instance(kind):
    folder = FOLDERS[kind]
    assert folder.names() == sorted(folder.names())
    for name in folder.names():
        made = folder.get(name)
        assert type(folder.get(name)) is type(made)
        assert folder.get(name) is not made
        assert folder.get(made) is made


@pytest.mark.parametrize("kind", ALIASES)
def test_aliases_are_not_listed(kind):
    folder = FOLDERS[kind]
    for alias, name in ALIASES[kind].items():
        assert type(folder.get(alias)) is type(folder.get(name))
        assert alias not in folder.names()


@pytest.mark.parametrize("kind", FOLDERS)
def test_unknown_names_list_the_known_ones(kind):
    folder = FOLDERS[kind]
    with pytest.raises(
        ValueError, match=f"Unknown {kind} 'wrong'.*{folder.names()[0]}"
    ):
        folder.get("wrong")


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("wrong", [None, 3, ["adam"]])
def test_wrong_types(kind, wrong):
    with pytest.raises(TypeError, match=rf"got .* of type {type(wrong).__name__}"):
        FOLDERS[kind].get(wrong)


def test_a_class_instead_of_an_instance_gets_a_hint(things):
    with pytest.raises(TypeError, match=r"Pass an instance: Thing\(\)"):
        things.get(Thing)


def test_membership_and_iteration(things):
    assert "thing" in things
    assert "das_ding" in things
    assert "other" not in things
    assert 3 not in things
    assert list(things) == ["thing"]


def test_register_returns_the_class_and_takes_users_names(things):
    @things.register("big")
    class Big(Thing):
        pass

    assert isinstance(things.get("big"), Big)
    assert things.names() == ["big", "thing"]


def test_register_refuses_other_classes(things):
    with pytest.raises(TypeError, match="must derive from Thing"):
        things.register("other")(int)


def test_register_refuses_parameters_without_default(things):
    class Needy(Thing):
        def __init__(self, size, colour="red"):
            self.size, self.colour = size, colour

    with pytest.raises(ValueError, match=r"\['size'\] need defaults"):
        things.register("needy")(Needy)


def test_a_function_is_wrapped_where_the_registry_says_so():
    def absolute(y, raw):
        return abs(raw - y), (raw > y) * 2.0 - 1.0

    loss = losses.get(absolute)
    assert isinstance(loss, losses.FunctionLoss)
    assert loss.function is absolute
    with pytest.raises(TypeError, match="Pass an instance: Huber"):
        losses.get(losses.Huber)
