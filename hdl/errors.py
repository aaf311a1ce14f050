"""What ends a build or a simulation: a tool that fails, a stream that breaks its rule or stops."""


class ToolError(ValueError):
    """A simulator is missing, too old, or refuses the design."""


class ProtocolError(AssertionError):
    """A stream took back or changed a beat it had offered."""

    def __init__(self, stream, cycle):
        self.stream, self.cycle = stream, cycle
        super().__init__(f"stream {stream} changed or withdrew, in cycle {cycle}, "
                         f"a beat that had not been taken")


class DeadlockError(AssertionError):
    """Nothing moved for too long."""

    def __init__(self, beats, cycle, timeout):
        self.beats, self.cycle = beats, cycle
        moved = ", ".join(f"{name} {count}" for name, count in beats.items())
        super().__init__(f"no beat moved for {timeout} cycles, up to cycle {cycle}; beats so far: "
                         f"{moved}")
