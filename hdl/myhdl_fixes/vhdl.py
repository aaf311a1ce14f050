"""Exact arithmetic in converted VHDL, where MyHDL 0.11 computes in too few bits or in too many.

docs/myhdl-conversion.md has the smallest cases; tests/hdl/myhdl_fixes/test_vhdl.py tells when a new
MyHDL does without this.
"""
# mypy: disable-error-code="attr-defined"
# MyHDL hangs the VHDL type of a value on its node: vhd, vhdOri.
import ast
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from myhdl.conversion._toVHDL import _AnnotateTypesVisitor, _ConvertVisitor, vhd_int, vhd_vector

INTEGER_BITS = 31   # of VHDL's integer, without its sign

_compare = _AnnotateTypesVisitor.visit_Compare
_shift = _AnnotateTypesVisitor.inferShiftType
_index = _AnnotateTypesVisitor.accessIndex
_cast = _ConvertVisitor.inferBinaryOpCast
_choose = _ConvertVisitor.visit_IfExp


@contextmanager
def exact_vhdl() -> Iterator[None]:
    """Convert to VHDL as the functions below say."""
    with patch.multiple(_AnnotateTypesVisitor, create=True, visit_Compare=compare,
                        visit_Assign=assign, inferShiftType=shift, accessIndex=index), \
            patch.multiple(_ConvertVisitor, inferBinaryOpCast=cast, visit_IfExp=choose):
        yield


def compare(visitor: _AnnotateTypesVisitor, node: ast.Compare) -> None:
    """A sum that is compared is an integer: MyHDL's vectors do not grow."""
    _compare(visitor, node)
    sides = node.left, node.comparators[0]
    if any(isinstance(side, ast.BinOp) for side in sides):
        for side in sides:
            as_integer(side)


def assign(visitor: _AnnotateTypesVisitor, node: ast.Assign) -> None:
    """What a Python int takes is a sum of integers; a sum of several terms with an int among them
    is one too, for a vector may be too narrow for the int; not beside products, which are wide."""
    visitor.generic_visit(node)
    target, values = node.targets[0].vhd, [node.value]
    if isinstance(node.value, ast.IfExp):
        node.value.assigned = True
        values = [node.value.body, node.value.orelse]
    for value in values:
        terms = summands(value)
        if isinstance(target, vhd_int) or (
                len(terms) > 2 and any(isinstance(term.vhd, vhd_int) for term in terms)
                and not any(isinstance(getattr(term, "op", None), ast.Mult) for term in terms)
                and all(term.vhd.size < INTEGER_BITS for term in (*terms, node.targets[0]))):
            as_integer(value)


def shift(visitor: _AnnotateTypesVisitor, node: ast.BinOp) -> None:
    """A shift amount is an integer."""
    _shift(visitor, node)
    as_integer(node.right)


def index(visitor: _AnnotateTypesVisitor, node: ast.Subscript) -> None:
    """An index is an integer."""
    _index(visitor, node)
    as_integer(node.slice)


def summands(node: ast.expr) -> list[ast.expr]:
    """Terms of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return summands(node.left) + summands(node.right)
    return [node]


def as_integer(node: ast.expr) -> None:
    """Convert the operands of a sum to VHDL's integers, not the sum."""
    node.vhd = vhd_int()
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        node.vhdOri = vhd_int()
        as_integer(node.left)
        as_integer(node.right)


def cast(visitor: _ConvertVisitor, node: ast.BinOp, left: ast.expr, right: ast.expr,
         op: ast.operator) -> tuple[str, str]:
    """A product is as wide as both factors and extended afterwards: MyHDL extends a factor to all
    the bits of the sum, which simulates slowly and takes multipliers that nobody needs."""
    if isinstance(op, ast.Mult) and type(node.vhd) is type(node.vhdOri) \
            and isinstance(left.vhd, vhd_vector) and isinstance(right.vhd, vhd_vector):
        prefix, suffix = visitor.inferCast(node.vhd, node.vhdOri)
        return prefix or "(", suffix or ")"
    return _cast(visitor, node, left, right, op)


def choose(visitor: _ConvertVisitor, node: ast.IfExp) -> None:
    """An assigned choice computes one of its sides only: MyHDL's function takes both, and the other
    one may be out of range."""
    if not hasattr(node, "assigned"):
        _choose(visitor, node)
        return
    node.body.vhd = node.orelse.vhd = node.vhd
    visitor.visit(node.body)
    visitor.write(" when ")
    visitor.visit(node.test)
    visitor.write(" else ")
    visitor.visit(node.orelse)
