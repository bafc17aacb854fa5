"""Values that the service keeps for itself, such as the virtual clock."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from loop.store.core import table_of
from loop.store.registry import SettingRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

_SETTING = table_of(SettingRow)
_GET = Prepared(select(_SETTING.c.value).where(_SETTING.c.key == bindparam("key")))
_PUT = Prepared(upsert(_SETTING, ["key"], sets=["value"]))


def get(tx: Tx, key: str) -> str | None:
    """The value kept under `key`, or None."""
    row = tx.one(_GET, key=key)
    return str(row[0]) if row else None


def put(tx: Tx, key: str, value: str) -> None:
    """Keep `value` under `key`."""
    tx.run(_PUT, key=key, value=value)
