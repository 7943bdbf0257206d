"""Names and instances, aliases, errors that list what is known."""

import pytest

from skdl import (
    activations,
    augment,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
)
from skdl._base import ParameterObject
from skdl._registry import Registry

FOLDERS = {
    "activation": activations,
    "initializer": initializers,
    "layer": layers,
    "loss": losses,
    "optimizer": optimizers,
    "schedule": schedules,
    "transform": augment,
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


# ---- names that exist


class Other(Thing):
    pass


@pytest.mark.parametrize("names", [("thing",), ("das_ding",), ("new", "thing")])
def test_a_name_that_exists_is_an_error(things, names):
    message = f"'{names[-1]}': the thing Thing has this name.*replace=True"
    with pytest.raises(ValueError, match=message):
        things.register(*names)(Other)
    # Nothing has changed.
    assert things.names() == ["thing"]
    assert type(things.get("das_ding")) is type(things.get("thing")) is Thing
    with pytest.raises(ValueError, match="Unknown thing 'new'"):
        things.get("new")


def test_replacing_a_name(things):
    things.register("thing", replace=True)(Other)
    assert type(things.get("thing")) is Other
    assert type(things.get("das_ding")) is Other  # it stands for the name


def test_replacing_an_alias(things):
    things.register("das_ding", replace=True)(Other)
    assert type(things.get("das_ding")) is Other
    assert type(things.get("thing")) is Thing
    assert things.names() == ["das_ding", "thing"]


def test_an_alias_that_replaces_a_name(things):
    things.register("other", "thing", replace=True)(Other)
    assert things.names() == ["other"]
    assert type(things.get("thing")) is Other
    assert "das_ding" not in things  # what it stood for is gone


@pytest.mark.parametrize(
    ("folder", "taken"),
    [
        (optimizers, "adam"),
        (losses, "log_loss"),
        (activations, "linear"),
        (initializers, "glorot_uniform"),
        (schedules, "cosine"),
        (layers, "dense"),
        (layers, "relu"),  # an activation, which works as a layer by its name
        (layers, "logistic"),
    ],
)
def test_built_in_names_are_safe(folder, taken):
    before = type(folder.get(taken))
    own = type("Own", (before,), {})
    with pytest.raises(ValueError, match=f"'{taken}'.*replace=True"):
        folder.register(taken)(own)
    assert type(folder.get(taken)) is before


def test_names_that_mean_something_else():
    own = type("Own", (initializers.Zeros,), {})
    for replace in (False, True):
        with pytest.raises(ValueError, match="'auto', which means something else"):
            initializers.register("auto", replace=replace)(own)


# ---- mistyped names, and names for a purpose


@pytest.mark.parametrize(
    ("folder", "typed", "meant"),
    [
        (optimizers, "nestrov", "nesterov"),
        (optimizers, "Adam", "adam"),
        (losses, "logloss", "log_loss"),
        (schedules, "onecycle", "one_cycle"),
        (layers, "drop_out", "dropout"),
        (layers, "leaky_relo", "leaky_relu"),
        (initializers, "glorot_unifrom", "glorot_uniform"),
        (activations, "sigmod", "sigmoid"),
    ],
)
def test_mistyped_names_get_a_hint(folder, typed, meant):
    with pytest.raises(ValueError, match=f"Did you mean .*'{meant}'"):
        folder.get(typed)


def test_no_hint_where_nothing_is_close():
    with pytest.raises(ValueError, match="Unknown optimizer") as caught:
        optimizers.get("xyz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("task", ["regression", "classification", "boxes"])
def test_losses_for_a_task(task):
    view = losses.for_task(task)
    suits = {n for n in losses.names() if losses.get(n).task in (task, "any")}
    assert set(view.names()) == suits
    for name in losses.names():
        assert name in view  # known, so that nested parameters can be set
        if name in suits:
            assert type(view.get(name)) is type(losses.get(name))
            continue
        for spec in (name, losses.get(name)):
            with pytest.raises(ValueError, match=f"is no loss for {task}"):
                view.get(spec)
    listed = view.listed()
    assert ("cross_entropy (log_loss)" in listed) == (task == "classification")
    assert isinstance(view.get(lambda y, raw: (raw, raw)), losses.FunctionLoss)


def test_a_view_knows_what_is_registered_later(things):
    view = things.only(lambda cls: cls is not Other, "show")
    things.register("other")(Other)
    assert view.names() == ["thing"]
    with pytest.raises(ValueError, match=r"Other is no thing for show.*thing \(das_d"):
        view.get("other")


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
