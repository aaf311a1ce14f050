"""What is proven for any input, any marks, any stalls and any resets; tests/support/claims.py says
what, and with which faults each proof has to fail."""
import pytest
from myhdl import always_seq, block, instances

from tests.support.claims import CLAIMS, LANGUAGES, pair
from tests.support.proof import Claim, Refuted, prove, prove_languages
from tests.support.simulators import available


def kept(name):
    """A claim as a parameter: the slow ones are for --full."""
    return pytest.param(name, marks=pytest.mark.full if CLAIMS[name].slow else (), id=name)


@pytest.mark.parametrize("name", [kept(name) for name in CLAIMS])
def test_a_claim_is_proven(name, tmp_path):
    assert prove(tmp_path, CLAIMS[name]).frames >= CLAIMS[name].cycles


@pytest.mark.parametrize("name", [kept(name) for name in CLAIMS])
def test_each_fault_is_told(name, tmp_path):
    assert CLAIMS[name].faults
    for number, fault in enumerate(CLAIMS[name].faults):
        directory = tmp_path / str(number)
        directory.mkdir()
        with pytest.raises(Refuted, match="a property fails after"):
            prove(directory, CLAIMS[name], fault)


QUICK = "register_slice", "residual_add", "requantize, signed", "mac of two by two"
in_both = pytest.mark.parametrize("name", [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.full) for name in LANGUAGES])


@in_both
def test_verilog_and_vhdl_are_the_same(name, tmp_path):
    available("ghdl")
    prove_languages(tmp_path, LANGUAGES[name])


@in_both
def test_a_fault_in_one_of_them_is_told(name, tmp_path):
    available("ghdl")
    with pytest.raises(Refuted):
        prove_languages(tmp_path, LANGUAGES[name], LANGUAGES[name].faults[0])


@block
def forgetful(clk, rst, s_axis, m_axis):
    """A register that takes a beat although the one before has not left."""
    @always_seq(clk.posedge, reset=rst)
    def advance():
        s_axis.tready.next = True
        m_axis.tvalid.next = s_axis.tvalid
        m_axis.tdata.next = s_axis.tdata

    return instances()


def test_a_block_that_breaks_the_rules_of_a_stream(tmp_path):
    with pytest.raises(Refuted):
        prove(tmp_path, Claim(forgetful, pair()))


def test_a_fault_that_is_nowhere_is_a_mistake(tmp_path):
    with pytest.raises(AssertionError, match="no text of the block has nothing"):
        prove(tmp_path, CLAIMS["register_slice"], ("nothing", "something"))
