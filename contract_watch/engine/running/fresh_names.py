"""Fresh names for the objects of recorded requests: the same ones wherever the recorded ones were the same."""

from contract_watch.engine.account.object_names import NameGenerator, build_name_variants, find_plain_name


class FreshNames:
    """A translation of recorded names and ids into those of a new sequence of requests."""

    def __init__(self, generator: NameGenerator) -> None:
        self._generator = generator
        self._known: dict[str, str] = {}

    def learn_id(self, recorded: str, assigned: str) -> None:
        """Note the id that the server assigned now, in place of the ``recorded`` one."""
        self._known[recorded] = assigned

    def translate(self, name: str) -> str:
        """Return the new name for a recorded one, in the same spelling and of the same length if it was padded.

        A short name gives a short name. Any other string stays: it never named an object of a run.
        """
        if name in self._known:
            return self._known[name]
        if plain := find_plain_name(name, self._generator.suffix):
            self._known[name] = self._spell(name, plain)
        elif name.isascii() and name.isalnum() and name == name.lower():
            self._known[name] = self._generator.create_short_name(len(name))
        return self._known.get(name, name)

    def _spell(self, name: str, plain: str) -> str:
        """Spell the new name for the ``plain`` one as ``name`` spells that."""
        new = self._known.setdefault(plain, self._generator.create_name())
        for variant, spelled in build_name_variants(plain).items():
            if spelled == name:
                return build_name_variants(new)[variant]
        for edged in (False, True):
            if self._generator.pad_name(plain, len(name), edged=edged) == name:
                return self._generator.pad_name(new, len(name), edged=edged)
        suffix = self._generator.suffix if plain.endswith(self._generator.suffix) else ""
        return new.removesuffix(self._generator.suffix) + name[len(plain) - len(suffix) :]
