"""How many examples a property is tried on: a few by default, always the same; many with --full."""
from hypothesis import HealthCheck, settings

FEW, MANY = 12, 400


def examples(config, few=FEW, many=MANY):
    """The settings of a property: ``few`` examples, or ``many`` where --full is given."""
    return settings(derandomize=True, database=None, deadline=None,
                    max_examples=many if config.getoption("full") else few,
                    suppress_health_check=list(HealthCheck))
