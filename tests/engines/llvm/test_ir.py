"""Code written as text: the same machine code as by llvmlite's builder, and what does not fit is found by LLVM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import llvmlite.ir as theirs
import pytest
from tests.engines.llvm.compiling import target_machine

import chainrule
from chainrule.engines.llvm import ir as ours


def assembly(module: Any) -> str:
    generator = target_machine()
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    return str(generator.emit_assembly(parsed))


def written(ir: Any) -> Any:
    """A function with every instruction, branches, a loop, memory and a call."""
    i1, i8, i32, i64 = (ir.IntType(n) for n in (1, 8, 32, 64))
    pointer, real, single = ir.PointerType(), ir.DoubleType(), ir.FloatType()
    four, mask = ir.VectorType(single, 4), ir.VectorType(i32, 4)
    module = ir.Module("m")
    pair = ir.LiteralStructType([i64, real])
    told = ir.Function(module, ir.FunctionType(pair, [i64, real]), "told")
    kind = ir.ArrayType(i64, 3)
    table = ir.GlobalVariable(module, kind, "table")
    table.linkage, table.global_constant, table.initializer = "internal", True, ir.Constant(kind, [5, 2**63, 7])
    function = ir.Function(module, ir.FunctionType(i64, [pointer, i64, i64, real, single]), "run")
    p, a, b, x, y = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    slot = builder.alloca(ir.ArrayType(i8, 64))
    slot.align, slot.type = 64, pointer
    whole = builder.load(builder.gep(table, [builder.and_(a, i64(1))], source_etype=i64), typ=i64, align=8)
    for name in ("add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and_", "or_", "xor"):
        whole = getattr(builder, name)(whole, builder.or_(b, i64(3)))
    whole = builder.add(whole, builder.ctlz(b, i1(0)))
    whole = builder.not_(builder.neg(builder.trunc(whole, i32)))
    whole = builder.add(builder.sext(whole, i64), builder.zext(builder.icmp_unsigned(">=", whole, i32(-7)), i64))
    for name in ("fadd", "fsub", "fmul", "fdiv"):
        x = getattr(builder, name)(x, ir.Constant(real, 0.1))
    x = builder.fneg(builder.fadd(x, builder.fpext(builder.fadd(y, ir.Constant(single, 0.5)), real)))
    whole = builder.xor(whole, builder.bitcast(builder.fadd(x, builder.sitofp(a, real)), i64))
    whole = builder.add(whole, builder.fptosi(builder.fadd(builder.uitofp(b, real), x), i64))
    whole = builder.select(builder.fcmp_ordered("<=", x, ir.Constant(real, None)), whole, a)
    whole = builder.select(builder.fcmp_unordered("!=", x, x), b, whole)
    vector = builder.insert_element(ir.Constant(four, ir.Undefined), builder.fptrunc(x, single), i32(0))
    vector = builder.shuffle_vector(vector, ir.Constant(four, None), ir.Constant(mask, [0, 0, 4, 0]))
    chosen = builder.select(
        ir.Constant(ir.VectorType(i1, 4), [True, False, True, False]), vector, ir.Constant(four, None)
    )
    builder.store(chosen, slot, align=16)
    builder.store(builder.extract_element(chosen, i32(2)), builder.gep(p, [a], source_etype=single), align=4)
    result = builder.insert_value(builder.call(told, [whole, x]), a, 0)
    builder.store(builder.extract_value(result, 1), p)
    builder.atomic_rmw("add", p, i64(1), "acq_rel")
    whole = builder.add(whole, builder.load_atomic(p, "acquire", 8, typ=i64))
    with builder.if_then(builder.icmp_signed("==", a, b), likely=False):
        builder.store(whole, builder.inttoptr(builder.add(builder.ptrtoint(p, i64), i64(16)), pointer))
    with builder.if_else(builder.icmp_signed("<", a, b)) as (less, more):
        with less:
            builder.store(i64(1), slot)
        with more:
            builder.store(i64(2), slot)
    before, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("loop")
    builder.branch(loop)
    builder.position_at_end(loop)
    index, total = builder.phi(i64, name="i"), builder.phi(i64)
    following = builder.add(index, i64(1))
    for phi, first, then in ((index, i64(0), following), (total, whole, index)):
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    builder.cbranch(builder.icmp_signed("<", following, a), loop, after)
    builder.position_after(following)
    builder.store(builder.mul(following, total), p)
    builder.position_at_end(after)
    with builder.goto_entry_block():
        later = builder.alloca(i64)
    builder.store(total, later)
    builder.ret(builder.load(later, typ=i64))
    return module


def test_the_same_machine_code_as_by_llvmlite() -> None:
    assert assembly(written(ours)) == assembly(written(theirs))


def test_types_that_do_not_fit_are_found() -> None:
    module = ours.Module()
    function = ours.Function(module, ours.FunctionType(ours.VoidType(), [ours.IntType(64), ours.DoubleType()]), "run")
    builder = ours.IRBuilder(function.append_basic_block("entry"))
    builder.add(*function.args)
    builder.ret_void()
    with pytest.raises(RuntimeError, match="but expected 'i64'"):
        assembly(module)


def test_names_are_given_once() -> None:
    module = ours.Module()
    kind = ours.FunctionType(ours.VoidType(), [])
    names = [ours.Function(module, kind, module.get_unique_name("part")).name for _ in range(3)]
    assert names == ["part", "part.1", "part.2"]
    with pytest.raises(AssertionError, match=r"part\.1"):
        ours.Function(module, kind, "part.1")


def test_llvmlite_is_imported_in_one_module_alone() -> None:
    package = Path(chainrule.__file__).parent
    found = {
        x.name
        for x in package.rglob("*.py")
        if re.search(r"^\s*(import|from) llvmlite", x.read_text(encoding="utf-8"), re.M)
    }
    assert found == {"machine.py"}
