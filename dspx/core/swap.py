"""A sub-module and what may stand in its place: rebuilt for the same question, with its leaves' values carried over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.core.candidate import LeafValues
from dspx.core.module import Module
from dspx.core.places import ROOT, module_at
from dspx.core.signature import SignatureMeta
from dspx.errors import ConfigurationError

_NOTHING = LeafValues()


@dataclass(frozen=True, slots=True)
class Swap:
    """A sub-module of a program: its path, what it asks, its leaves by their names in the program.

    `texts` are the instructions that they had. `main` is the leaf that gives the answer itself: the one with all the question's fields, the last of several.
    """

    path: str
    module: Any
    signature: Any
    leaves: Mapping[str, Any]
    texts: Mapping[str, str]
    main: str | None

    def is_own(self, option: Any) -> bool:
        """Whether the sub-module is what the option would make: then nothing is swapped."""
        return type(self.module) is option

    def build(self, option: Callable[[Any], Any]) -> Any:
        """What `option` makes of the signature. It writes into the histories of the module it stands for."""
        name = getattr(option, "__name__", repr(option))
        try:
            made = option(self.signature)
        except Exception as error:  # whatever a class that needs more says
            raise ConfigurationError(
                f"{name} cannot stand for {self.path!r}: it cannot be made of "
                f"{self.signature.signature!r} alone ({error}). For a class that needs more than a signature, give a "
                "function: {'react': lambda signature: dspx.ReAct(signature, tools=…)}."
            ) from error
        if not isinstance(made, Module):
            raise ConfigurationError(
                f"{name} made a {type(made).__name__} for {self.path!r}, and not a module."
            )
        return made

    def stand_ins(self, module: Any) -> list[tuple[Any, str | None]]:
        """Each leaf of `module`, with the name of the leaf that it stands for; None for one that has no counterpart."""
        return [(leaf, self._counterpart(name, leaf)) for name, leaf in module.named_predictors()]

    def values_for(
        self, module: Any, given: Callable[[str], LeafValues], own: Mapping[str, Any]
    ) -> list[tuple[Any, LeafValues]]:
        """What each leaf of `module` uses, so that it asks as the leaf that it stands for would.

        `given` are the values for a leaf by name, `own` the leaves whose state counts where nothing is given.
        """
        spare = self.main or next(iter(self.leaves), None)
        carried: list[tuple[Any, LeafValues]] = []
        for leaf, name in self.stand_ins(module):
            source = name or spare
            before = own.get(source) if source is not None else None
            values = given(source) if source is not None else _NOTHING
            carried.append((leaf, self._carried(leaf, source, before, values, shows_demos=name is not None)))
        return carried

    def _carried(
        self, leaf: Any, source: str | None, before: Any, values: LeafValues, shows_demos: bool
    ) -> LeafValues:
        demos = before.demos if values.demos is None and before is not None else values.demos
        config = {**getattr(before, "config", {}), **getattr(leaf, "config", {}), **(values.config or {})}
        return LeafValues(
            instructions=self._instructions(leaf, source, before, values),
            demos=tuple(demos or ()) if shows_demos else None,
            lm=values.lm or leaf.lm or getattr(before, "lm", None),
            adapter=values.adapter or getattr(leaf, "adapter", None) or getattr(before, "adapter", None),
            config=config or None,
        )

    def _instructions(self, leaf: Any, source: str | None, before: Any, values: LeafValues) -> str | None:
        """Those given, or the leaf's own with those of the question, which it was made with, replaced."""
        wanted = values.instructions
        if wanted is None and before is not None:
            wanted = before.signature.instructions
        if wanted is None or source is None or wanted == self.texts[source]:
            return None
        asked, held = self.signature.instructions, leaf.signature.instructions
        if held in (asked, self.texts[source]):
            return wanted
        embeds = self.texts[source] == asked and held.count(asked) == 1
        return held.replace(asked, wanted) if embeds else None

    def _counterpart(self, name: str, leaf: Any) -> str | None:
        full = _full_name(self.path, name)
        if full in self.leaves:
            return full
        return self.main if _answers(leaf, self.signature) else None


def swap_at(program: Any, path: str) -> Swap:
    """The swap at the path of a sub-module. `ConfigurationError` where nobody can tell what it asks."""
    module = module_at(program, path)
    if module is None:
        raise ConfigurationError(f"{type(program).__name__} has no sub-module {path!r} any more.")
    names = {id(leaf): name for name, leaf in program.named_predictors()}
    leaves = {names[id(leaf)]: leaf for leaf in module.predictors() if id(leaf) in names}
    signature = asked_by(module, path)
    main = [name for name, leaf in leaves.items() if _answers(leaf, signature)]
    texts = {name: leaf.signature.instructions for name, leaf in leaves.items()}
    return Swap(path, module, signature, leaves, texts, main[-1] if main else None)


def asked_by(module: Any, path: str) -> Any:
    """The signature that a module was built from: its `base_signature`, its `signature`, or its only leaf's."""
    for name in ("base_signature", "signature"):
        found = getattr(module, name, None)
        if isinstance(found, SignatureMeta):
            return found
    leaves = module.predictors()
    if len(leaves) == 1:
        return leaves[0].signature
    raise ConfigurationError(
        f"{path!r} is a {type(module).__name__}, and it does not say what it asks: give it a `signature`."
    )


def _answers(leaf: Any, signature: Any) -> bool:
    """Whether a leaf takes all inputs of a question and gives all its outputs."""
    mine = leaf.signature
    return (
        signature.input_fields.keys() <= mine.input_fields.keys()
        and signature.output_fields.keys() <= mine.output_fields.keys()
    )


def _full_name(path: str, name: str) -> str:
    if path == ROOT:
        return name
    return path if name == ROOT else f"{path}.{name}"
