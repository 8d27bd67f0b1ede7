"""The Python engine of OpenLedger's gpu-runner: validation, training, serving and evidence over stdio frames."""

PROTOCOL = 1
ENGINE = "openledger-engine 0.1.0"
