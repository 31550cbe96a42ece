"""What clients of OpenAI's API are told of errors."""

import httpx2

from tests.users import Json


def error_of(answer: httpx2.Response) -> Json:
    """The error, which has OpenAI's form."""
    assert answer.headers["content-type"] == "application/json"
    told: Json = answer.json()
    assert told.keys() == {"error"}
    error: Json = told["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error
