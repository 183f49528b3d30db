"""A person's authenticator app, for the tests of sign-in."""

import time

import pyotp

from tenancy.second_factor import STEP_SECONDS
from tests.kit.api import Api, problem


def turn_on(api: Api) -> tuple[pyotp.TOTP, list[str]]:
    """Set the second factor up; return the app and the recovery codes."""
    setup = api.post("account/second-factor").json()
    assert setup["picture"].lstrip().startswith("<?xml")
    app = pyotp.TOTP(setup["secret"])
    problem(api.post("account/second-factor/confirm", {"code": "000000"}), 422, "code_wrong")
    # The step before this one: it is accepted, and leaves this step's code for the sign-in that follows. Where the
    # clock came to the next step meanwhile, the code was two steps old.
    while True:
        now = int(time.time())
        answer = api.post("account/second-factor/confirm", {"code": app.at(now - STEP_SECONDS)})
        if answer.status_code == 200 or time.time() // STEP_SECONDS == now // STEP_SECONDS:
            break
    assert answer.status_code == 200, answer.content
    return app, answer.json()["codes"]
