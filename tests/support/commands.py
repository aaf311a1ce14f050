"""Commands of scripts, invoked in this process."""
from click.testing import CliRunner


def invoked(command, *arguments, code=0):
    """The result of a command of scripts; its exit status must be as expected."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result
