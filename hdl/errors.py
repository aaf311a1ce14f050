"""What ends a build or a simulation: a tool that fails, a stream that breaks its rule or stops."""


class ToolError(Exception):
    """A tool is missing, too old, fails, or refuses the design."""


class SimulationError(Exception):
    """A simulation ran and found that the design does not do what it must."""


class ProtocolError(SimulationError):
    """A stream took back or changed a beat it had offered."""

    def __init__(self, stream: str, cycle: int) -> None:
        self.stream, self.cycle = stream, cycle
        super().__init__(f"stream {stream} changed or withdrew, in cycle {cycle}, "
                         f"a beat that had not been taken")


class DeadlockError(SimulationError):
    """Nothing moved for too long."""

    def __init__(self, beats: dict[str, int], cycle: int, timeout: int) -> None:
        self.beats, self.cycle = beats, cycle
        moved = ", ".join(f"{name} {count}" for name, count in beats.items())
        super().__init__(f"no beat moved for {timeout} cycles, up to cycle {cycle}; beats so far: "
                         f"{moved}")
