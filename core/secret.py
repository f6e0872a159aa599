"""A secret text: it can be held, passed on and used, and shows as `***` wherever it is printed.

`get_secret_value()` is the one way to its value. It hides from printing and not from code: what
takes the value out must not say it, and `core.redaction` stands behind for where it does.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import BaseModel, GetCoreSchemaHandler, SecretStr
from pydantic_core import SchemaSerializer, core_schema

from core.redaction import MASK, know


def _shown(value: Any, info: core_schema.SerializationInfo) -> Any:
    return MASK if info.mode == "json" else value


_SERIALIZATION = core_schema.plain_serializer_function_ser_schema(
    _shown, info_arg=True, when_used="unless-none"
)


class Secret(SecretStr):
    """A text that shows as `***`, in pydantic's JSON too; making one tells the redactor.

    Also an empty one shows so: whether there is a value is what `bool()` tells.
    """

    __pydantic_serializer__ = SchemaSerializer(core_schema.any_schema(serialization=_SERIALIZATION))

    def __init__(self, secret_value: str) -> None:
        super().__init__(secret_value)
        know(secret_value)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        theirs: Any = super().__get_pydantic_core_schema__(source, handler)
        # pydantic's own would show ten asterisks, and nothing for an empty one.
        ours: core_schema.CoreSchema = {**theirs, "serialization": _SERIALIZATION}
        return ours

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled: seal it, or pass its value on knowingly")


def secret_fields(options: type[BaseModel]) -> frozenset[str]:
    """Return the names of a model's fields that are sealed and not kept with the others."""
    fields = options.model_fields.items()
    return frozenset(name for name, field in fields if field.annotation is Secret)
