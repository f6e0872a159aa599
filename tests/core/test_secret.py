"""A secret shows as `***` wherever a value can be printed, and its value is there on request."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from core.connector import Options
from core.secret import Secret


class Form(Options):
    host: str
    password: Secret
    key: Secret | None = None


SHOWN = {
    "str": str,
    "repr": repr,
    "format": lambda secret: f"{secret}",
    "repr in a format": lambda secret: f"{secret!r}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031
    "in a list": lambda secret: str([secret]).strip("[]"),
    "a copy": lambda secret: str(copy.copy(secret)),
    "a deep copy": lambda secret: str(copy.deepcopy([secret])[0]),
    "JSON of anything": lambda secret: json.loads(to_json(secret)),
    "JSON by str": lambda secret: json.loads(json.dumps(secret, default=str)),
    "JSON of a model": lambda secret: Form(host="h", password=secret).model_dump(mode="json")[
        "password"
    ],
    "JSON text of a model": lambda secret: json.loads(
        Form(host="h", password=secret).model_dump_json()
    )["password"],
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("value", ["correct horse", "x", ""])  # the short and the empty as well
def test_it_shows_as_three_stars(show, value):
    assert show(Secret(value)) == "***"


def test_it_can_be_aligned_like_any_text():
    assert f"{Secret('correct horse'):>6}" == "   ***"


def test_a_model_shows_it_so():
    form = Form(host="h", password="correct horse", key="battery")
    assert repr(form) == "Form(host='h', password=***, key=***)"
    assert str(form.model_dump()) == "{'host': 'h', 'password': ***, 'key': ***}"
    assert form.model_dump_json() == '{"host":"h","password":"***","key":"***"}'


def test_its_value_is_there_on_request():
    form = Form.model_validate_json('{"host": "h", "password": "correct horse"}')
    assert form.password.get_secret_value() == "correct horse"
    assert form.model_copy(deep=True) == form
    assert form.model_dump()["password"] is form.password
    assert form.key is None


def test_a_form_knows_it_for_a_password():
    described = Form.model_json_schema()["properties"]["password"]
    assert (described["format"], described["writeOnly"]) == ("password", True)


def test_it_is_not_pickled():
    with pytest.raises(TypeError, match="not pickled") as raised:
        pickle.dumps({"password": Secret("correct horse")})
    assert "correct horse" not in str(raised.value)


def test_an_error_about_another_field_does_not_quote_it():
    with pytest.raises(ValidationError) as raised:
        Form.model_validate({"password": "correct horse"})
    assert "host" in str(raised.value)
    assert "horse" not in str(raised.value)
    assert "corr" not in str(raised.value)


def test_a_traceback_does_not_show_it():
    def use(secret: Secret) -> None:
        raise ValueError(f"cannot use {secret}")

    try:
        use(Secret("correct horse"))
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "cannot use ***" in "".join(shown.format())
    assert "horse" not in "".join(shown.format()).replace('use(Secret("correct horse"))', "")
