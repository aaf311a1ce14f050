"""Tables for people."""
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDEST = 1000   # characters


def grid(title: str, *columns: str | tuple[str, str], text: int = 1) -> Table:
    """A table: the first ``text`` columns are words, the others numbers; a pair is (head, foot)."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD,
                  pad_edge=False, padding=(0, 1, 0, 0),
                  show_footer=any(isinstance(column, tuple) for column in columns))
    for number, column in enumerate(columns):
        header, footer = column if isinstance(column, tuple) else (column, "")
        table.add_column(header, footer, justify="left" if number < text else "right",
                         vertical="bottom", no_wrap=True)
    return table


def show(table: Table) -> None:
    """Print a table, however narrow the terminal, as wide as its words and numbers are: a row may
    go on in the terminal's next line, but no name is cut."""
    console = Console()
    for column in table.columns:
        column.no_wrap = True
    widest = Console(width=WIDEST).measure(table).maximum
    Console(width=max(console.width, widest)).print(table)
