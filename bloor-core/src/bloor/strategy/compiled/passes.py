"""What numba's compiler does besides for a handler: it refuses what would silently mean something else than in Python.

numba is imported by :func:`handler_compiler` only.
"""

from __future__ import annotations

import operator
from functools import cache
from typing import Any

from bloor.strategy.compiled.typing import types_of_views
from bloor.strategy.compiled.views import View

__all__ = ["handler_compiler"]


@cache
def handler_compiler(power: Any) -> Any:
    """The ``pipeline_class`` of handlers and of everything they call in their package.

    Args:
        power: What takes the place of ``**``.
    """
    from numba import core

    ir: Any = core.ir
    types: Any = core.types
    compiler: Any = core.compiler
    machinery: Any = core.compiler_machinery
    register_pass = machinery.register_pass
    typed: Any = core.typed_passes
    untyped: Any = core.untyped_passes
    made = types_of_views()

    @register_pass(mutates_CFG=False, analysis_only=False)
    class ReplacePower(machinery.FunctionPass):  # type: ignore[misc]
        """``**`` becomes a call."""

        _name = "bloor_replace_power"

        def __init__(self) -> None:
            machinery.FunctionPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            for block in state.func_ir.blocks.values():
                for at, statement in reversed(list(enumerate(block.body))):
                    expr: Any = getattr(statement, "value", None)
                    if isinstance(statement, ir.Assign) and _is_power(expr):
                        function = ir.Var(block.scope, f"$power.{id(statement)}", statement.loc)
                        block.body.insert(
                            at, ir.Assign(ir.Global("power", power, statement.loc), function, statement.loc)
                        )
                        statement.value = ir.Expr.call(function, [expr.lhs, expr.rhs], (), statement.loc)
                        state.func_ir._definitions[function.name] = [block.body[at].value]
                        state.func_ir._definitions[statement.target.name] = [statement.value]
            return True

    @register_pass(mutates_CFG=False, analysis_only=True)
    class RefuseUnset(machinery.AnalysisPass):  # type: ignore[misc]
        """A variable that may have no value yet would be zero."""

        _name = "bloor_refuse_unset"

        def __init__(self) -> None:
            machinery.AnalysisPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            for block in state.func_ir.blocks.values():
                for statement in block.body:
                    phi = getattr(statement, "value", None)
                    if isinstance(phi, ir.Expr) and phi.op == "phi" and ir.UNDEFINED in phi.incoming_values:
                        name = statement.target.unversioned_name
                        if not name.startswith("$"):
                            raise made.complaint(
                                f"{name!r} may be used before it is assigned: give it a value at the beginning",
                                loc=statement.loc,
                            )
            return False

    @register_pass(mutates_CFG=False, analysis_only=True)
    class RefuseLossyStores(machinery.AnalysisPass):  # type: ignore[misc]
        """An attribute holds values of its own type; numba would convert others."""

        _name = "bloor_refuse_lossy_stores"

        def __init__(self) -> None:
            machinery.AnalysisPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            for block in state.func_ir.blocks.values():
                for statement in block.body:
                    if isinstance(statement, ir.SetAttr):
                        target = state.typemap[statement.target.name]
                        if isinstance(target, made.view_type):
                            check_store(target.view, statement, types.unliteral(state.typemap[statement.value.name]))
            return False

    def check_store(view: View, statement: Any, stored: Any) -> None:
        name = statement.attr
        if not view.own or name not in view.cells:
            raise made.complaint(f"{view.name}.{name} cannot be assigned", loc=statement.loc)
        kind = view.cells[name].kind
        fits = {int: types.Integer, float: (types.Integer, types.Float), bool: types.Boolean}[kind]
        if not isinstance(stored, fits):
            raise made.complaint(
                f"{view.name}.{name} is declared {kind.__name__}, but {made.said(stored)} is assigned to it",
                loc=statement.loc,
            )

    class HandlerCompiler(compiler.CompilerBase):  # type: ignore[misc]
        """numba's pipeline and these passes."""

        def define_pipelines(self) -> list[Any]:
            passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(ReplacePower, untyped.IRProcessing)
            passes.add_pass_after(RefuseUnset, untyped.ReconstructSSA)
            passes.add_pass_after(RefuseLossyStores, typed.NopythonTypeInference)
            passes.finalize()
            return [passes]

    def _is_power(expr: Any) -> bool:
        if not isinstance(expr, ir.Expr):
            return False
        return (expr.op == "binop" and expr.fn is operator.pow) or (
            expr.op == "inplace_binop" and expr.immutable_fn is operator.pow
        )

    return HandlerCompiler
