"""The fields of a UDF object, and how it is copied, compared and shown."""

import copy
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

from ._header import Header
from ._udf_source import code_of
from ._validation import Model, field, flag, integer, list_of, mapping, one_of, optional, text

# Names of ours, and those of fields that were. To ask for them runs none of a UDF's code.
_NOT_GLOBALS = frozenset(("instance_type", "id", "_function", "_known_to_host"))


class UdfFields(Model):
    """The fields of a Udf object. `fused.models.udf.Udf` is the class to use."""

    name: str | None = field(optional(text), default=None)
    """Its name; default: the function's."""
    type: str = field(one_of("geopandas_v2"), default="geopandas_v2")
    """What kind of UDF it is on the wire; there is one."""
    code: str = field(text)
    """The source text that a run executes."""
    headers: list[Header] = field(list_of(Header.model_validate), default_factory=list)
    """The modules beside it, importable by name while it runs."""
    metadata: dict[str, Any] | None = field(optional(mapping), default=None)
    """What is known of it besides; `fused:id` is its id on the server."""
    collection_id: str | None = field(optional(text), default=None)
    """The collection on the server that it is saved in."""
    collection_name: str | None = field(optional(text), default=None)
    """That collection's name."""
    import_globals: bool = field(flag, default=True)
    """Whether globals of its module may be read as attributes."""
    entrypoint: str = field(text)
    """The name of the function in its code that a run calls."""
    cache_max_age: int | None = field(optional(integer), default=None)
    """How old a cached result may be, in seconds; 0 is off. Default: the cache's own age."""
    engine: str | None = field(optional(text), default=None)
    """Where it runs where a run does not say: "local", "remote" or an instance type."""
    disk_size_gb: int | None = field(optional(integer), default=None)
    """The size of a batch instance's disk, in GB."""
    region: str | None = field(optional(text), default=None)
    """The region of its batch runs."""
    parameters: dict[str, Any] = field(mapping, default_factory=dict)
    """Values of its parameters that a run takes where it is given none."""
    original_headers: str | None = field(optional(text), default=None)
    """The decorator's `headers` as they were written."""

    def _host_name(self) -> str | None:
        """The name under which the host runs it, or None for one that runs here."""
        return vars(self).get("_known_to_host")

    def _id(self) -> str | None:
        """The id on the server, or None for one that is not saved."""
        return (self.metadata or {}).get("fused:id")

    def _importable(self) -> AbstractContextManager[None]:
        """A `with` in which its headers can be imported."""
        from ._headers import importable

        return importable(self.name or self.entrypoint, [
            {"moduleName": header.module_name, "code": header.code(),
             "file": header.source_file or f"{header.module_name.replace('.', '/')}.py"}
            for header in self.headers])  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name == "code" and "_function" in vars(self):
            vars(self)["code"] = code = code_of(self._function, self.name or self.entrypoint, bool(self.headers))
            return code
        if name.startswith(("__", "_repr_", "_ipython_")) or name in _NOT_GLOBALS or "entrypoint" not in vars(self):
            raise AttributeError(f"'Udf' object has no attribute '{name}'", name=name, obj=self)
        from ._udf_globals import module_globals

        found = module_globals(self)
        if name not in found:
            raise AttributeError(f"'Udf' object has no attribute '{name}'", name=name, obj=self)
        return found[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.model_fields:
            raise ValueError(f'"Udf" object has no field "{name}"')
        if name in ("code", "entrypoint"):
            # From here on its text counts, and not the function that it was made of.
            if name == "entrypoint":
                vars(self)["code"] = self.code
            vars(self).pop("_function", None)
        if name in ("code", "entrypoint", "headers", "name"):
            vars(self).pop("_globals", None)
            vars(self).pop("_source", None)
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UdfFields) and self.model_dump() == other.model_dump()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        lines = [("id", self._id()), ("name", self.name), ("collection_name", self.collection_name),
                 ("description", (self.metadata or {}).get("fused:description")),
                 *([("catalog_url", self.catalog_url)] if self.catalog_url is not None else []), ("code", self.code)]  # fmt: skip
        return "Udf(\n" + ",\n".join(f"  {name}={value!r}" for name, value in lines) + "\n)"

    def model_dump(self, *, mode: str = "python", by_alias: bool = False, exclude_none: bool = False) -> dict[str, Any]:
        """The fields as a dict, `import_globals` left out; with mode "json" only what JSON has."""
        dumped = super().model_dump(mode=mode, by_alias=by_alias, exclude_none=exclude_none)
        dumped.pop("import_globals", None)
        return dumped

    def __copy__(self) -> Self:
        """A copy with lists and dicts of its own."""
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        for name in ("headers", "metadata", "parameters"):
            vars(made)[name] = copy.copy(vars(self)[name])
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same; what the parameters hold is copied, too."""
        made = self.__copy__()
        for name in ("headers", "metadata", "parameters"):
            vars(made)[name] = copy.deepcopy(vars(self)[name], memo)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        # The fields, not the function: that one lives in a module which the other side may not have.
        fields = {**self.model_dump(), "import_globals": self.import_globals}
        return _restored, (type(self), fields, self._host_name())


def _restored(kind: type[UdfFields], fields: dict[str, Any], host_name: str | None) -> UdfFields:
    udf = kind.model_validate(fields)
    if host_name is not None:
        vars(udf)["_known_to_host"] = host_name
    return udf
