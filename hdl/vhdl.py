"""Exact arithmetic in converted VHDL, where MyHDL 0.11 computes in too few bits or in too many.

docs/myhdl-conversion.md has the smallest cases; tests/test_myhdl_conversion.py tells when a new
MyHDL does without this.
"""
import ast
from contextlib import contextmanager
from unittest.mock import patch

from myhdl.conversion._toVHDL import (_AnnotateTypesVisitor, _ConvertVisitor, vhd_int, vhd_vector)

_compare = _AnnotateTypesVisitor.visit_Compare
_shift = _AnnotateTypesVisitor.inferShiftType
_index = _AnnotateTypesVisitor.accessIndex
_cast = _ConvertVisitor.inferBinaryOpCast


@contextmanager
def exact_vhdl():
    """Convert to VHDL as the functions below say."""
    with patch.multiple(_AnnotateTypesVisitor, create=True, visit_Compare=compare,
                        visit_Assign=assign, inferShiftType=shift, accessIndex=index), \
            patch.object(_ConvertVisitor, "inferBinaryOpCast", cast):
        yield


def compare(visitor, node):
    """A sum that is compared is an integer: MyHDL's vectors do not grow."""
    _compare(visitor, node)
    sides = node.left, node.comparators[0]
    if any(isinstance(side, ast.BinOp) for side in sides):
        for side in sides:
            as_integer(side)


def assign(visitor, node):
    """What a Python int takes is a sum of integers."""
    visitor.generic_visit(node)
    if isinstance(node.targets[0].vhd, vhd_int):
        as_integer(node.value)


def shift(visitor, node):
    """A shift amount is an integer."""
    _shift(visitor, node)
    as_integer(node.right)


def index(visitor, node):
    """An index is an integer."""
    _index(visitor, node)
    as_integer(node.slice)


def as_integer(node):
    """Convert the operands of a sum to VHDL's integers, not the sum."""
    node.vhd = vhd_int()
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        node.vhdOri = vhd_int()
        as_integer(node.left)
        as_integer(node.right)


def cast(visitor, node, left, right, op):
    """A product is as wide as both factors and extended afterwards: MyHDL extends a factor to all
    the bits of the sum, which simulates slowly and takes multipliers that nobody needs."""
    if isinstance(op, ast.Mult) and type(node.vhd) is type(node.vhdOri) \
            and isinstance(left.vhd, vhd_vector) and isinstance(right.vhd, vhd_vector):
        prefix, suffix = visitor.inferCast(node.vhd, node.vhdOri)
        return prefix or "(", suffix or ")"
    return _cast(visitor, node, left, right, op)
