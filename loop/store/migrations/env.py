"""Called by Alembic, which `loop.store.schema` alone starts: runs the migrations on the connection it was handed."""

from alembic import context
from sqlmodel import SQLModel

from loop.store.schema import belongs

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=belongs,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
