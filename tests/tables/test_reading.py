"""CSV files as people have them are read without being told how they were written."""

import gzip

import numpy as np
import pytest

from chainrule.errors import SettingError, UnknownNameError
from chainrule.tables import TableError, read


@pytest.fixture
def written(tmp_path):
    """A function that writes a CSV file and gives its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


PLAIN = "name,age\nAda,36\nAlan,41\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", " , ").replace("\n", " \n"),
        PLAIN.replace(",", ',"').replace("\n", '"\n'),
        PLAIN.rstrip("\n"),
        "\n\n" + PLAIN + "\n\n",
        "sep=;\n" + PLAIN.replace(",", ";"),
        PLAIN.replace("\n", ",\n"),
        "# " + PLAIN,
        "# made by hand\n#\n" + PLAIN,
        "# made by hand, today, by us\n# " + PLAIN,
        " " + PLAIN.replace(",", "   "),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        gzip.compress(PLAIN.encode()),
    ],
    ids=[
        "comma",
        "semicolon",
        "tab",
        "bar",
        "windows",
        "mac",
        "blanks",
        "quotes",
        "unended",
        "blank-lines",
        "sep",
        "trailing",
        "commented-header",
        "comments",
        "comments-and-header",
        "blanks-between",
        "bom",
        "utf-16",
        "gzip",
    ],
)
def test_every_way_of_writing_gives_the_same_table(written, content):
    table = read(written(content))
    assert table.names == ("name", "age")
    assert table.cells.tolist() == [["Ada", "36"], ["Alan", "41"]]


def test_separator_inside_quotes_and_line_breaks(written):
    table = read(written('name,age\n"Lovelace, Ada",36\n"Alan\nTuring",41\n"say ""hi""",1\n'))
    assert table.column("name").tolist() == ["Lovelace, Ada", "Alan\nTuring", 'say "hi"']
    assert table.lines.tolist() == [2, 3, 5]


def test_decimal_commas_do_not_pass_for_separators(written):
    table = read(written("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n"))
    assert table.separator == ";"
    assert table.names == ("a", "b", "c")


def test_windows_text(written):
    table = read(written("città;n\nMünchen;1\n".encode("cp1252")))
    assert table.names == ("città", "n")
    assert "Windows-1252" in table.notes[0]


def test_comments_are_mentioned_and_counted(written):
    table = read(written("# one\n# two\na,b\n1,2\n"))
    assert table.notes == ("2 lines of comment before the table left out",)
    assert table.lines.tolist() == [4]
    assert read(written("# a,b\n1,2\n")).lines.tolist() == [2]


def test_names_with_blanks_do_not_pass_for_several(written):
    assert read(written("first name,last name\nAda Augusta,de Lovelace\n")).names == ("first name", "last name")
    assert read(written("name\nAda Lovelace\nAlan Turing\n")).names == ("name",)


def test_a_given_separator_wins(written):
    assert read(written("a:b\n1:2\n"), separator=":").names == ("a", "b")
    assert read(written(PLAIN.replace(",", ";")), separator="semicolon").names == ("name", "age")
    with pytest.raises(SettingError, match="separator='::'; it must be a single character"):
        read(written(PLAIN), separator="::")


def test_without_header(written):
    table = read(written("# a,b\n1,2\n3,4\n"), header=False)
    assert table.names == ("column_1", "column_2")
    assert len(table) == 2


def test_names_are_made_unique(written):
    table = read(written("a,a,,a_2,a\n1,2,3,4,5\n6,7,8,9,10\n"))
    assert table.names == ("a", "a_3", "column_3", "a_2", "a_4")
    assert table.repeated == ("a", "a")
    assert "column 2 is another 'a'; called 'a_3' here" in table.notes


def test_the_row_names_of_r(written):
    table = read(written('"a" "b"\n"1" 5 6\n"2" 7 8\n'), separator=" ")
    assert table.names == ("column_1", "a", "b")


def test_empty_rows_and_columns_are_left_out(written):
    table = read(written("a;b;;\n1;2;;\n;;;\n3;4;;\n;;;\n"))
    assert table.names == ("a", "b")
    assert len(table) == 2
    assert table.lines.tolist() == [2, 4]
    assert table.notes == ("2 rows without any value left out",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"data\.csv is empty; a table needs a row of column names"),
        ("\n \n", r"data\.csv is empty"),
        ("a,b\n", "holds column names and nothing else"),
        ("a,b\n,\n,\n", "holds no values"),
        (
            "a,b\n1,2\n3\n4,5,6\n",
            r"has 2 columns \('a', 'b'\), but 2 rows have another number of cells: line 3 has 1, line 4 has 3\. "
            r'Correct the rows \(a cell with a comma in it needs quotation marks.*separator="semicolon"',
        ),
        ("a,b\n1,2,3\n4,5,6\n7,8\n", "but 2 rows have another number"),
        ('a,b\n1,2\n3,"4\n5,6\n', "ends inside quotation marks opened at line 3"),
        (b"PK\x03\x04 and so on", "spreadsheet or ZIP file, not CSV text; save the sheet as CSV"),
        (b"\x89PNG\r\n\x00\x00", "is not text"),
        (b"\x1f\x8b broken", "damaged gzip file"),
    ],
)
def test_what_cannot_be_read_says_why(written, content, message):
    with pytest.raises(TableError, match=message):
        read(written(content))


def test_an_absent_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent.csv")


def test_columns_by_name(written):
    table = read(written(PLAIN))
    assert table.without(["name"]).names == ("age",)
    assert table.rows(np.array([1])).cells.tolist() == [["Alan", "41"]]
    with pytest.raises(UnknownNameError, match=r"there is no column named 'Age' .did you mean 'age'"):
        table.without(["Age"])


def test_an_unknown_column_of_a_wide_table_does_not_list_all(written):
    table = read(written(",".join(f"pixel{i}" for i in range(784)) + "\n" + "0," * 783 + "0\n"))
    with pytest.raises(UnknownNameError) as caught:
        table.column("pixel_5")
    assert "one of the 784 that data.csv has: pixel0" in str(caught.value)
    assert len(str(caught.value)) < 250
