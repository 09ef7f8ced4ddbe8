"""Large angles modulo π/2, with as many digits of 2/π as a float64 can need; one lane after the other."""

from __future__ import annotations

import itertools

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, INT32, INT64, DType, Vector
from chainrule.engines.llvm.mathematics.steps import repeat

# The binary digits of 2/π, 64 to a word, after one word of zeros (so that a window may begin before the point).
TWO_OVER_PI = (
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
)  # fmt: skip
HALF_PI = (1.5707963267948966, 6.123233995736766e-17)

LANE, WORD, DOUBLE_WORD = ir.IntType(32), ir.IntType(64), ir.IntType(128)
RESULT = ir.LiteralStructType([WORD, ir.DoubleType(), ir.DoubleType()])


def reduce_large(m: Instructions, x: Vector) -> tuple[Vector, Vector, Vector]:
    """(k, r, s) with x = k·π/2 + r + s for finite |x| ≥ 2^8: the quadrant k mod 4, r rounded, s what r lost."""
    builder = m.builder
    function = _scalar_function(m)
    dtypes = [INT32 if x.dtype == FLOAT32 else INT64, x.dtype, x.dtype]

    def lane(index: ir.Value, *filled: ir.Value) -> tuple[list[ir.Value], ir.Value]:
        values = _one_lane(builder, function, builder.extract_element(x.value, index), x.dtype)
        following = builder.add(index, ir.Constant(LANE, 1))
        again = builder.icmp_unsigned("<", following, ir.Constant(LANE, m.width))
        return [following, *map(builder.insert_element, filled, values, [index] * 3)], again

    if m.width == 1:
        parts = _one_lane(builder, function, x.value, x.dtype)
    else:
        _, *parts = repeat(builder, [ir.Constant(LANE, 0), *(m.number(0, dtype).value for dtype in dtypes)], lane)
    quadrant, r, s = (m.wrap(part, dtype) for part, dtype in zip(parts, dtypes, strict=True))
    return quadrant, r, s


def _one_lane(builder: ir.IRBuilder, function: ir.Function, value: ir.Value, dtype: DType) -> list[ir.Value]:
    """The function's parts of one number, in the number's dtype."""
    wide = value if dtype == FLOAT64 else builder.fpext(value, ir.DoubleType())
    result = builder.call(function, [wide])
    quadrant, r, s = (builder.extract_value(result, i) for i in range(3))
    if dtype == FLOAT64:
        return [quadrant, r, s]
    short = builder.fptrunc(r, ir.FloatType())
    lost = builder.fadd(builder.fsub(r, builder.fpext(short, ir.DoubleType())), s)
    return [builder.trunc(quadrant, ir.IntType(32)), short, builder.fptrunc(lost, ir.FloatType())]


def _word(value: int) -> ir.Constant:
    return ir.Constant(WORD, value)


def _digits(module: ir.Module) -> ir.GlobalVariable:
    found = module.globals.get("two_over_pi")
    if found is None:
        kind = ir.ArrayType(WORD, len(TWO_OVER_PI))
        found = ir.GlobalVariable(module, kind, "two_over_pi")
        found.linkage, found.global_constant = "internal", True
        found.initializer = ir.Constant(kind, list(TWO_OVER_PI))
    return found


def _scalar_function(m: Instructions) -> ir.Function:
    """reduce_large of one float64, as a function of the module."""
    name, module = "reduce_large.float64", m.builder.module
    found = module.globals.get(name)
    if found is None:
        found = ir.Function(module, ir.FunctionType(RESULT, [ir.DoubleType()]), name)
        found.linkage = "internal"
        found.attributes.append("noinline")
        entry = ir.IRBuilder(found.append_basic_block("entry"))
        _write(type(m)(entry, 1, lacks=m.lacks), found, _digits(module))
    return found


def _write(m: Instructions, function: ir.Function, digits: ir.GlobalVariable) -> None:
    """x = M·2^E; of M·2^E·(2/π), digits that make multiples of 4 are left out and 190 after the point are kept."""
    b = m.builder
    (x,) = function.args
    pattern = b.bitcast(x, WORD)
    exponent = b.and_(b.lshr(pattern, _word(52)), _word(0x7FF))
    mantissa = b.or_(b.and_(pattern, _word((1 << 52) - 1)), _word(1 << 52))
    # The digit with weight 2^−i stands at position i + 63; the first one needed has i = E − 1, E = exponent − 1075.
    position = b.sub(exponent, _word(1075 + 1 - 63))
    index, offset = b.lshr(position, _word(6)), b.and_(position, _word(63))
    words = []
    for i in range(4):
        address = b.gep(digits, [b.add(index, _word(i))], source_etype=WORD)
        words.append(b.load(address, align=8, typ=WORD))
    window = [_funnel(b, high, low, offset) for high, low in itertools.pairwise(words)]
    # M times the three words, modulo 2^192.
    wide = b.zext(mantissa, DOUBLE_WORD)
    low = b.mul(wide, b.zext(window[2], DOUBLE_WORD))
    middle = b.add(b.mul(wide, b.zext(window[1], DOUBLE_WORD)), b.lshr(low, ir.Constant(DOUBLE_WORD, 64)))
    carry = b.trunc(b.lshr(middle, ir.Constant(DOUBLE_WORD, 64)), WORD)
    top = b.add(b.mul(mantissa, window[0]), carry)
    # Two digits before the point: the quadrant, rounded to nearest. The rest, in [−½, ½), as sign and size.
    quadrant = b.lshr(b.add(top, _word(1 << 61)), _word(62))
    rest = b.sub(top, b.shl(quadrant, _word(62)))
    sign = b.ashr(rest, _word(63))
    size = [b.xor(word, sign) for word in (rest, b.trunc(middle, WORD), b.trunc(low, WORD))]
    # Leading zeros are shifted out, a whole word of them first.
    empty = b.icmp_unsigned("==", size[0], _word(0))
    size = [b.select(empty, after, before) for before, after in zip(size, [*size[1:], _word(0)], strict=True)]
    zeros = b.ctlz(size[0], ir.IntType(1)(0))
    first, second = _funnel(b, size[0], size[1], zeros), _funnel(b, size[1], size[2], zeros)
    zeros = b.add(zeros, b.select(empty, _word(64), _word(0)))
    double = ir.DoubleType()
    high = b.uitofp(b.lshr(first, _word(11)), double)
    low_bits = b.or_(b.shl(b.and_(first, _word(0x7FF)), _word(42)), b.lshr(second, _word(22)))
    low_part = b.uitofp(low_bits, double)
    # high·2^(2 − 53 − zeros) + low·2^(2 − 106 − zeros), with the sign, times π/2.
    scale = b.bitcast(b.shl(b.sub(_word(1023 + 2 - 53), zeros), _word(52)), double)
    scale = b.bitcast(b.xor(b.bitcast(scale, WORD), b.and_(sign, _word(1 << 63))), double)
    high, low_part = b.fmul(high, scale), b.fmul(low_part, b.fmul(scale, ir.Constant(double, 2.0**-53)))
    pi_high, pi_low = (ir.Constant(double, part) for part in HALF_PI)
    product = b.fmul(high, pi_high)
    lost = m.lost(*(m.wrap(x, FLOAT64) for x in (high, pi_high, product))).value
    lost = b.fadd(lost, b.fadd(b.fmul(high, pi_low), b.fmul(low_part, pi_high)))
    total = b.fadd(product, lost)
    left = b.fsub(lost, b.fsub(total, product))
    negative = b.icmp_signed("<", pattern, _word(0))  # of −x everything is the opposite
    values = [
        b.select(negative, b.neg(quadrant), quadrant),
        b.select(negative, b.fneg(total), total),
        b.select(negative, b.fneg(left), left),
    ]
    result: ir.Value = ir.Constant(RESULT, ir.Undefined)
    for i, value in enumerate(values):
        result = b.insert_value(result, value, i)
    b.ret(result)


def _funnel(b: ir.IRBuilder, high: ir.Value, low: ir.Value, count: ir.Value) -> ir.Value:
    """The upper word of high:low after a shift to the left."""
    name = "llvm.fshl.i64"
    function = b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(WORD, [WORD] * 3), name)
    return b.call(function, [high, low, count])
