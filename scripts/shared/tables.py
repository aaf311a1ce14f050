"""Tables for people."""
from rich.box import SIMPLE_HEAD
from rich.table import Table


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
