"""What ends a build or a simulation: a tool that fails, a stream that breaks its rule or stops."""


class ToolError(Exception):
    """A tool is missing, too old, fails, or refuses the design."""


class SimulationError(Exception):
    """A simulation ran and found that the design does not do what it must."""


# What every stream keeps to, by name, and what is said of one that does not.
RULES = {
    "held": "withdrew a beat that had not been taken",
    "stable": "changed a beat that had not been taken",
    "known": "has unknown bits",
    "taken": "had a beat waiting for longer than it may",
    "marked": "has a mark where none belongs, or none where one does",
    "ended": "stopped inside a frame",
}


class ProtocolError(SimulationError):
    """A stream broke one of RULES; ``more`` says what exactly."""

    def __init__(self, stream: str, cycle: int, rule: str, more: str = "") -> None:
        self.stream, self.cycle, self.rule = stream, cycle, rule
        super().__init__(f"stream {stream} {RULES[rule]}, in cycle {cycle} (rule {rule})"
                         f"{': ' if more else ''}{more}")


class DeadlockError(SimulationError):
    """Nothing moved for too long."""

    def __init__(self, beats: dict[str, int], cycle: int, timeout: int) -> None:
        self.beats, self.cycle = beats, cycle
        moved = ", ".join(f"{name} {count}" for name, count in beats.items())
        super().__init__(f"no beat moved for {timeout} cycles, up to cycle {cycle}; beats so far: "
                         f"{moved}")
