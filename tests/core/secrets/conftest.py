"""A store on either database with the secrets in it, and ways to look behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.secret import Secret
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

Put = Callable[..., str]


@pytest.fixture
def store(store_settings: Settings) -> Iterator[Store]:
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def secrets(store: Store, store_settings: Settings) -> Secrets:
    return Secrets.open(store, store_settings)


@pytest.fixture
def put(secrets: Secrets) -> Put:
    """Seal a text, with or without saying whose it is."""

    def put(value: str, by: Secrets = secrets, **given: object) -> str:
        told = {"workspace": "w", "owner": "connection:ab12", "label": "password of warehouse"}
        return by.put(Secret(value), **(told | given))

    return put
