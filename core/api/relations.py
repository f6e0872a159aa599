"""/v1/catalog/relations: which tables lead to which, declared and inferred."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.catalog.related import Scope
from core.catalog.relations import End, Relation

router = APIRouter(tags=["Catalog"])


class EndTold(BaseModel):
    """Columns of a table."""

    catalog: str
    schema_: str = Field(serialization_alias="schema")
    table: str
    columns: list[str]

    @classmethod
    def of(cls, end: End) -> EndTold:
        """Tell of an end."""
        return cls(catalog=end.catalog, schema_=end.schema, table=end.table, columns=[*end.columns])


class RelationTold(BaseModel):
    """Rows of `child` lead to one row of `parent` each."""

    child: EndTold
    parent: EndTold
    declared: bool
    single: bool = Field(description="To one row of the parent leads one row at most.")
    optional: bool = Field(description="A row of the child may lead nowhere.")
    confidence: float | None = Field(
        description="The share of the child's distinct values that the parent has; "
        "null for what was declared."
    )
    looked: int | None = Field(description="How many distinct values were looked at.")

    @classmethod
    def of(cls, relation: Relation) -> RelationTold:
        """Tell of a relation."""
        measured = relation.measured
        return cls(
            child=EndTold.of(relation.child),
            parent=EndTold.of(relation.parent),
            declared=relation.declared,
            single=relation.single,
            optional=relation.optional,
            confidence=measured.confidence if measured else None,
            looked=measured.looked if measured else None,
        )


class RelationsTold(BaseModel):
    """The relations from and to some tables."""

    relations: list[RelationTold]
    complete: bool = Field(description="Whether all guesses were measured; else ask again.")
    failed: int = Field(description="Guesses that could not be measured.")
    left_out: int = Field(description="Guesses beyond the number that is measured.")


@router.get("/v1/catalog/relations")
def get_relations(
    workspace: Here,
    catalog: str,
    schema: str | None = None,
    table: str | None = None,
    inferred: bool = False,
    wait: Annotated[float, Query(ge=0, le=60)] = 10,
) -> RelationsTold:
    """Tell which tables lead to which: foreign keys, and if asked what the values say."""
    scope = Scope(catalog, schema, table)
    found = workspace.relations.declared(scope)
    told = RelationsTold(relations=[], complete=True, failed=0, left_out=0)
    if inferred:
        measuring = workspace.relations.inferred(scope)
        told.complete = measuring.wait(wait)
        told.failed, told.left_out = measuring.failed, measuring.left_out
        found += measuring.likely
    told.relations = [RelationTold.of(each) for each in found]
    return told
