"""Every kind of unit has its facts, its timing and its block."""
from hdl.layers import KINDS, layer_table
from hdl.plan.schedule import TIMINGS
from hdl.units.by_kind import BLOCKS


def test_three_tables_of_the_same_kinds():
    assert set(TIMINGS) == set(BLOCKS) == set(KINDS) == {unit.kind for unit in layer_table()}


def test_a_row_is_found_by_its_name():
    assert all(kind.name == name for name, kind in KINDS.items())
    assert all(timing.__name__ == name for name, timing in TIMINGS.items())
    assert all(block.__name__ == name for name, block in BLOCKS.items())


def test_facts_are_those_of_the_layer_table():
    for unit in layer_table():
        facts = unit.facts
        assert facts.name == unit.kind and facts.convolves == bool(unit.weights), unit.name
        assert facts.windowed == (unit.kernel == 3), unit.name
        assert facts.tiled == (unit.activation_in == "input"), unit.name
