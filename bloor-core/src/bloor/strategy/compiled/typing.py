"""Views as types of numba: an address, whose attributes are loads and stores and whose methods are kernels.

numba is imported by :func:`types_of_views` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import frozen

from bloor.errors import nearest
from bloor.native.linking import for_any_constant
from bloor.strategy.compiled.arrays import ArrayTypes, array_types
from bloor.strategy.compiled.views import Argument, Cell, View

__all__ = ["BEGIN", "END", "ViewTypes", "types_of_views"]

#: What stands around a finished message.
BEGIN, END = "\x01", "\x02"


@frozen(eq=False)
class ViewTypes:
    """What :func:`types_of_views` made.

    Attributes:
        family: ``family(functions)``: what gives the numba type of each view, the same one every time;
            ``functions[plain]`` is the compiled form of each plain function of the views.
        at: ``at(type)``: the compiled function that makes an address a view.
        complaint: The numba ``TypingError`` that carries a finished message for the author of a strategy.
        view_type: The class of the types of views.
        said: Says a numba type with an article, in Python's words.
        arrays: The types of arrays.
    """

    family: Callable[[Mapping[Any, Any]], Callable[[View], Any]]
    at: Callable[[Any], Any]
    complaint: Callable[..., Exception]
    view_type: Any
    said: Callable[[Any], str]
    arrays: ArrayTypes


@cache
def types_of_views() -> ViewTypes:
    """Teaches numba what a view is; once a process."""
    from llvmlite import ir as llvm
    from numba import core, extending, njit

    types: Any = core.types
    errors: Any = core.errors
    templates: Any = core.typing.templates
    models: Any = core.datamodel.models
    numba: Any = extending
    lean: dict[str, Any] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    jit: Any = njit(error_model="numpy", **lean)

    word, real, byte = llvm.IntType(64), llvm.DoubleType(), llvm.IntType(8)
    numba_kinds: dict[type, Any] = {int: types.int64, float: types.float64, bool: types.boolean}

    class Complaint(errors.TypingError):  # type: ignore[misc]
        """A finished message for the author of a strategy, marked so that it is found in what numba makes of it."""

        def __init__(self, message: str, loc: Any = None) -> None:
            super().__init__(f"{BEGIN}{message}{END}", loc=loc)

    arrays = array_types(Complaint, lambda kind: said(kind))  # noqa: PLW0108 (defined below)
    words = (
        (types.BaseTuple, "a tuple"),
        (arrays.kind, "an array"),
        (types.Boolean, "a bool"),
        (types.Integer, "an int"),
        (types.Float, "a float"),
        (types.NoneType, "None"),
    )

    class ViewType(types.Type):  # type: ignore[misc]
        """A view; its value is an address."""

        count = 0

        def __init__(self, view: View, functions: Mapping[Any, Any], others: Callable[[View], Any]) -> None:
            ViewType.count += 1
            super().__init__(f"{view.name}#{ViewType.count}")
            self.view = view
            self.functions = functions
            self.others = others
            self.first = self if view.own else types.int64

        def given(self, name: str, plain: Any) -> Any:
            """The type of what an attribute or a method gives: another view's, or the ``plain`` one."""
            return self.others(self.view.gives[name]()) if name in self.view.gives else plain

    def family(functions: Mapping[Any, Any]) -> Callable[[View], Any]:
        made: dict[View, Any] = {}

        def type_of(view: View) -> Any:
            if view not in made:
                made[view] = ViewType(view, functions, type_of)
            return made[view]

        return type_of

    class MethodType(types.Callable, types.Opaque):  # type: ignore[misc]
        """A method of a view; its value is the view's address."""

        def __init__(self, owner: ViewType, method: str) -> None:
            super().__init__(f"{owner.name}.{method}")
            self.owner = owner
            self.method = method

        @property
        def function(self) -> Any:
            function = self.owner.functions[self.owner.view.methods[self.method]]
            gives = self.owner.given(self.method, None)
            return function if gives is None else giving(function, gives)

        def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
            declared = self.owner.view.arguments.get(self.method)
            if declared is not None:
                check_call(f"{self.owner.view.name}.{self.method}", declared, args, kws)
                # one compiled form, to whose types the arguments are converted
                args, kws = [numba_kinds[argument.kind] for argument in declared], {}
            template, pysig, args, _ = self.function.get_call_template((self.owner.first, *args), kws)
            sig = template(context).apply(args, {})
            rest = pysig.replace(parameters=list(pysig.parameters.values())[1:])
            return templates.Signature(sig.return_type, sig.args[1:], recvr=self.owner.first, pysig=rest)

        def get_call_signatures(self) -> Any:
            return self.function.nopython_signatures, True

        def get_impl_key(self, sig: Any) -> Any:
            return self.function.get_overload(sig.args)

    def check_call(name: str, declared: tuple[Argument, ...], args: Any, kws: Any) -> None:
        by_place = [argument for argument in declared if not argument.by_name]
        known = ", ".join(argument.name for argument in declared)
        if len(args) > len(by_place):
            named = [argument.name for argument in declared if argument.by_name]
            hint = f"; write {' and '.join(f'{n}=...' for n in named)} by name" if named else ""
            raise Complaint(f"{name} takes {len(by_place)} arguments, got {len(args)}{hint}")
        for key in kws:
            if key not in {argument.name for argument in declared}:
                raise Complaint(f"{name} has no argument {key!r}{nearest(key, known.split(', '))}")
        given = {**dict(zip((argument.name for argument in by_place), args, strict=False)), **kws}
        for argument in declared:
            if argument.name in given:
                check_argument(name, argument, types.unliteral(given[argument.name]))
            elif not argument.by_name:
                raise Complaint(f"{name} needs ({known.partition(', post_only')[0]}): {argument.name} is missing")

    def check_argument(name: str, argument: Argument, given: Any) -> None:
        whole = (types.Integer, types.IntEnumMember)
        fits = {int: whole, float: (*whole, types.Float), bool: types.Boolean}[argument.kind]
        if not isinstance(given, fits):
            wanted = {int: "an int", float: "a float", bool: "True or False"}[argument.kind]
            raise Complaint(f"{name}: expected {argument.name} as {wanted}{argument.unit}, got {said(given)}")

    @cache
    def giving(function: Any, kind: ViewType) -> Any:
        """A compiled function that gives an address, made one that gives the view there."""
        view_at = at(kind)

        def given(address: int, *rest: Any) -> Any:
            return view_at(function(address, *rest))

        return for_any_constant(jit(given))

    @numba.register_model(ViewType)
    @numba.register_model(MethodType)
    class AddressModel(models.PrimitiveModel):  # type: ignore[misc]
        """An address in a register."""

        def __init__(self, dmm: Any, fe_type: Any) -> None:
            super().__init__(dmm, fe_type, word)

    def value_of(owner: ViewType, name: str, context: Any) -> Any:
        function = owner.functions[owner.view.values[name]]
        template, _, args, _ = function.get_call_template((owner.first,), {})
        return function, template(context).apply(args, {})

    @templates.infer_getattr
    class Attributes(templates.AttributeTemplate):  # type: ignore[misc]
        """The attributes of every view."""

        key = ViewType

        def generic_resolve(self, owner: ViewType, name: str) -> Any:
            view = owner.view
            if name in view.cells:
                return owner.given(name, numba_kinds[view.cells[name].kind])
            if name in view.arrays:
                return arrays.type(view.arrays[name].kind, view.arrays[name].size)
            if name in view.values:
                return owner.given(name, value_of(owner, name, self.context)[1].return_type)
            if name in view.methods:
                return MethodType(owner, name)
            if name in view.free:
                return types.Dispatcher(owner.functions[view.free[name]])
            if name in view.constants:
                return self.context.resolve_value_type(view.constants[name])
            if name in view.absent:
                raise Complaint(f"{view.name}.{name} {view.absent[name]}")
            raise Complaint(f"{view.name} has no attribute {name!r}{nearest(name, view.names)}")

    def pointer(builder: Any, address: Any, cell: Cell, kind: Any) -> Any:
        if cell.through >= 0:
            at = builder.add(address, word(cell.through))
            address = builder.load(builder.inttoptr(at, word.as_pointer()))
        return builder.inttoptr(builder.add(address, word(cell.offset)), kind.as_pointer())

    @numba.lower_getattr_generic(ViewType)  # type: ignore[untyped-decorator]
    def read(context: Any, builder: Any, owner: ViewType, address: Any, name: str) -> Any:
        view = owner.view
        if name in view.methods:
            return address
        if name in view.arrays:
            return builder.add(address, word(view.arrays[name].offset))
        if name in view.values:
            function, sig = value_of(owner, name, context.typing_context)
            return context.get_function(types.Dispatcher(function), sig)(builder, (address,))
        if name in view.free:
            return context.get_dummy_value()
        if name in view.constants:
            kind = context.typing_context.resolve_value_type(view.constants[name])
            return context.get_constant_generic(builder, kind, view.constants[name])
        return load(builder, address, view.cells[name])

    def load(builder: Any, address: Any, cell: Cell) -> Any:
        if cell.kind is float:
            return builder.load(pointer(builder, address, cell, real))
        bits = llvm.IntType(8 * cell.size)
        found = builder.load(pointer(builder, address, cell, bits))
        if cell.kind is bool:
            return builder.icmp_unsigned("!=", found, bits(0))
        if bits.width == 64:
            return found
        return builder.sext(found, word) if cell.code[0] == "i" else builder.zext(found, word)

    @numba.lower_setattr_generic(ViewType)  # type: ignore[untyped-decorator]
    def write(_context: Any, builder: Any, sig: Any, args: Any, name: str) -> None:
        address, value = args
        cell = sig.args[0].view.cells[name]
        if cell.kind is bool:
            value = builder.zext(value, byte)
        builder.store(value, pointer(builder, address, cell, {int: word, float: real, bool: byte}[cell.kind]))

    def said(kind: Any) -> str:
        for known, text in words:
            if isinstance(kind, known):
                return text
        return f"the {kind.view.name}" if isinstance(kind, ViewType) else f"a value of type {kind}"

    @cache
    def at(kind: ViewType) -> Any:
        @numba.intrinsic  # type: ignore[untyped-decorator]
        def view_at(_typing: Any, _address: Any) -> Any:
            return kind(types.int64), lambda _context, _builder, _signature, args: args[0]

        return view_at

    return ViewTypes(family, at, Complaint, ViewType, said, arrays)
