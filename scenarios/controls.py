"""Controls that more than one module of scenarios plants."""

import pytest

RARELY = pytest.mark.control("checked once an hour", topology={"hourly": True}, caught="noticed")
IMPATIENT = pytest.mark.control(
    "removed at the first failure", topology={"retry": 0}, caught="removed in time"
)
