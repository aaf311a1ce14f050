"""The converted text of every stage, both presets and languages, is byte for byte what it was."""
import hashlib
import json
from pathlib import Path

import pytest

from hdl.convert.stage import convert_stage
from hdl.plan.config import by_stage
from tests.support.networks import STAGES, configs

DIGESTS = json.loads(Path(__file__).with_name("converted.json").read_text())


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("hdl", ["Verilog", "VHDL"])
@pytest.mark.parametrize("precision", ["w16a16", "w8a8"])
def test_bytes(tmp_path, precision, hdl, stage):
    text = convert_stage(by_stage(configs(precision))[stage], tmp_path, hdl)[-1].read_bytes()
    assert hashlib.sha256(text).hexdigest() == DIGESTS[f"{precision} {hdl} {stage}"]
