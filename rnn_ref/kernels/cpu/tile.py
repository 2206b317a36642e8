"""The innermost block of every matrix product: a tile of ``c`` stays in registers while ``k`` runs.

    c[m, v] = s[m, v] + Σ_k a[m, k] b[k, v]        m < ROWS, v < VECTORS * lanes

At every ``k`` the tile multiplies one number of each row of ``a``, spread over a vector, with vectors of row ``k`` of
``b``. The compiler does not find this blocking in plain loops, so the few instructions are written out here.

Each number of ``c`` is summed in the order of ``k`` whatever the size of the tile: cutting a product into other tiles
does not change its bits.
"""

from __future__ import annotations

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnn_ref.hardware import FMA, ROWS, VECTOR_BYTES

binding.initialize_native_asmparser()  # for `opaque`


@intrinsic
def address(typingctx, array):
    """Where an array's first number lies in memory."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.intp(array), codegen


@intrinsic
def copy_bytes(typingctx, source, target, count):
    """Copy memory from address to address: a row of a panel in a few instructions, where a loop needs many."""

    def codegen(context, builder, signature, args):
        byte = ir.IntType(8).as_pointer()
        source, target = (builder.inttoptr(address, byte) for address in args[:2])
        cgutils.raw_memcpy(builder, target, source, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), codegen


def move_row(factors: bool):
    """Compiled: copy ROWS[0] numbers from address to address, each times a factor of its own if there are factors.

    Called as ``f(source, factors, target, like)``; a loop of so few turns would move one number at a time.
    """

    @intrinsic
    def run(typingctx, source, factor, target, like):
        def codegen(context, builder, signature, args):
            vector = ir.VectorType(context.get_value_type(signature.args[-1]), ROWS[0])
            source, factor, target = (builder.inttoptr(a, vector.as_pointer()) for a in args[:3])

            def load(pointer):
                value = builder.load(pointer)
                value.align = signature.args[-1].bitwidth // 8
                return value

            value = load(source)
            if factors:
                value = builder.fmul(value, load(factor))
            builder.store(value, target).align = signature.args[-1].bitwidth // 8
            return context.get_dummy_value()

        return types.void(*[types.intp] * 3, like), codegen

    return run


def tile(rows: int, vectors: int, *, panels: int = 1, tail: bool = False):
    """A compiled tile of a fixed size, as wide as ``vectors`` of each of so many ``panels``.

    Called as ``f(a, a_row, a_column, b, b_row, s, s_row, c, c_row, K, more, like)``: addresses and strides in bytes;
    ``like`` is a number of the arrays' type; ``more`` is, with ``tail``, how many columns are read and written; with
    several panels, the bytes from one to the next.
    """

    @intrinsic
    def run(typingctx, a, a_row, a_column, b, b_row, s, s_row, c, c_row, K, more, like):
        def codegen(context, builder, signature, args):
            number = context.get_value_type(signature.args[-1])
            lanes = VECTOR_BYTES * 8 // signature.args[-1].bitwidth
            vector, integer = ir.VectorType(number, lanes), ir.IntType(64)
            bits = ir.VectorType(ir.IntType(1), lanes)
            name = f"v{lanes}f{signature.args[-1].bitwidth}"
            align = ir.IntType(32)(signature.args[-1].bitwidth // 8)
            a, a_row, a_column, b, b_row, s, s_row, c, c_row, K, more, _like = args
            width = vectors * panels

            def declare(what, result, *arguments):
                return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), what)

            def pointer(address, type_):
                return builder.inttoptr(address, type_.as_pointer())

            def load(address):
                source = pointer(address, vector)
                if not tail:
                    value = builder.load(source)
                    value.align = align.constant
                    return value
                masked = declare(f"llvm.masked.load.{name}.p0", vector, source.type, align.type, bits, vector)
                return builder.call(masked, [source, align, mask, ir.Constant(vector, None)])

            def store(value, address):
                target = pointer(address, vector)
                if not tail:
                    builder.store(value, target).align = align.constant
                    return
                masked = declare(f"llvm.masked.store.{name}.p0", ir.VoidType(), vector, target.type, align.type, bits)
                builder.call(masked, [value, target, align, mask])

            def spread(value, type_, count=lanes):
                first = builder.insert_element(ir.Constant(type_, ir.Undefined), value, ir.IntType(32)(0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
                return builder.shuffle_vector(first, ir.Constant(type_, ir.Undefined), zeros)

            def at(base, index, stride):
                return builder.add(base, builder.mul(index, stride))

            def opaque(value):
                return builder.asm(ir.FunctionType(integer, [integer]), "", "=r,0", [value], False)

            def multiply_add(x, y, z):
                if not FMA:
                    return builder.fadd(builder.fmul(x, y), z)
                return builder.call(declare(f"llvm.fma.{name}", vector, vector, vector, vector), [x, y, z])

            if tail:
                numbers = ir.VectorType(integer, lanes)
                mask = builder.icmp_signed("<", ir.Constant(numbers, list(range(lanes))), spread(more, numbers))

            def places(base, row):
                return [
                    builder.add(at(base, integer(m), row), integer(v * VECTOR_BYTES))
                    for m in range(rows)
                    for v in range(width)
                ]

            start = [load(place) for place in places(s, s_row)]
            # Left alone, the compiler finds each row by adding a stride to the one before: a chain as long as the work.
            near = min(rows, 6)
            offsets = [opaque(builder.mul(integer(m), a_row)) for m in range(near)]
            bases = [opaque(at(a, integer(m), a_row)) for m in range(0, rows, near)]
            before, loop, after = builder.block, builder.append_basic_block("k"), builder.append_basic_block("end")
            builder.branch(loop)

            builder.position_at_end(loop)
            k, sums = builder.phi(integer), [builder.phi(vector) for _ in start]
            a_k = [builder.phi(integer) for _ in bases]

            b_k = at(b, k, b_row)
            b_vectors = [
                load(builder.add(at(b_k, integer(p), more), integer(v * VECTOR_BYTES)))
                for p in range(panels)
                for v in range(vectors)
            ]
            new = []
            for m in range(rows):
                row = builder.add(a_k[m // near], offsets[m % near]) if m % near else a_k[m // near]
                a_mk = spread(builder.load(pointer(row, number)), vector)
                new += [multiply_add(a_mk, b_vectors[v], sums[m * width + v]) for v in range(width)]
            k_next = builder.add(k, integer(1))
            a_next = [builder.add(base, a_column) for base in a_k]
            for phi, first, later in zip([k, *a_k, *sums], [integer(0), *bases, *start], [k_next, *a_next, *new]):
                phi.add_incoming(first, before)
                phi.add_incoming(later, loop)
            builder.cbranch(builder.icmp_signed("<", k_next, K), loop, after)

            builder.position_at_end(after)
            for value, place in zip(new, places(c, c_row)):
                store(value, place)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 11, like), codegen

    return run
