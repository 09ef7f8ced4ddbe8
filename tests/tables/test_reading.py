"""CSV files as people have them are read without being told how they were written."""

import bz2
import csv
import gzip
import io
import lzma
import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import MissingFileError, SettingError, UnknownNameError
from chainrule.tables import TableError, as_table, read, spell, stream
from chainrule.tables.text.reading import from_bytes
from chainrule.tables.text.text_format import TextFormat


@pytest.fixture
def written(tmp_path):
    """A function that writes a CSV file and gives its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


PLAIN = "name,age\nAda,36\nAlan,41\n"


def zstandard(data):
    """A Zstandard file of one block that is stored as it is (RFC 8878)."""
    return bytes.fromhex("28b52ffd20") + bytes([len(data)]) + (len(data) * 8 + 1).to_bytes(3, "little") + data


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
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.encode("utf-32-le"),
        gzip.compress(PLAIN.encode()),
        bz2.compress(PLAIN.encode()),
        lzma.compress(PLAIN.encode()),
        zstandard(PLAIN.encode()),
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
        "utf-16-unmarked",
        "utf-16-be",
        "utf-32",
        "utf-32-unmarked",
        "gzip",
        "bzip2",
        "xz",
        "zstandard",
    ],
)
def test_every_way_of_writing_gives_the_same_table(written, content):
    table = read(written(content))
    assert table.names == ("name", "age")
    assert table.frame.rows() == [("Ada", "36"), ("Alan", "41")]


def test_separator_inside_quotes_and_line_breaks(written):
    table = read(written('name,age\n"Lovelace, Ada",36\n"Alan\nTuring",41\n"say ""hi""",1\n'))
    assert table.column("name").to_list() == ["Lovelace, Ada", "Alan\nTuring", 'say "hi"']
    assert table.lines.tolist() == [2, 3, 5]


def test_decimal_commas_do_not_pass_for_separators(written):
    table = read(written("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n"))
    assert table.separator == ";"
    assert table.names == ("a", "b", "c")


def test_one_column_of_decimal_commas(written):
    table = read(written("x\n1,5\n2,5\n"))
    assert (table.names, table.frame.rows(), table.decimal) == (("x",), [("1,5",), ("2,5",)], ",")


def test_numbers_of_a_file_without_names_tell_its_separator(written):
    table = read(written("1,5;2,5;3,5\n4,5;5,5;6,5\n"), header=False)
    assert (table.separator, len(table.names), table.decimal) == (";", 3, ",")


def test_windows_text(written):
    table = read(written("città;n\nMünchen;1\n".encode("cp1252")))
    assert table.names == ("città", "n")
    assert "Windows-1252" in table.notes[0]


# What each encoding can spell, and what Python says its bytes are.
SPELLED = {
    "latin-1": "größe,été", "cp1252": "größe,€", "cp850": "größe,ñ", "mac-roman": "größe,ñ", "cp1250": "Łódź,été",
    "cp1251": "город,да", "shift-jis": "高さ,否", "gb18030": "城市,是", "utf-16-le": "城市,Łódź", "utf-8": "größe,否",
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "words"), SPELLED.items(), ids=SPELLED)
def test_an_encoding_that_is_told(written, encoding, words):
    table = read(written(f"x,y\n{words}\n".encode(encoding)), encoding=encoding)
    assert (table.frame.rows(), table.notes) == ([tuple(words.split(","))], ())
    packed = written(gzip.compress(f"x,y\n{words}\n".encode(encoding)))
    assert [part.frame.rows() for part in stream(packed, encoding=encoding)] == [[tuple(words.split(","))]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("words", ["größe,été", "город,да", "高さ,否"])
def test_wide_text_is_recognised_without_a_mark(written, encoding, words):
    path = written(f"x,y\n{words}\n".encode(encoding))
    assert read(path).frame.rows() == [tuple(words.split(","))]
    for whole in (path, written(gzip.compress(path.read_bytes()))):
        assert [part.frame.rows() for part in stream(whole)] == [[tuple(words.split(","))]]


def test_an_encoding_that_a_file_has_not(written):
    with pytest.raises(TableError, match="is not utf-8 text: line 3 holds fc, which is none there"):
        read(written("x,y\n1,2\nü,3\n".encode("latin-1")), encoding="UTF8")
    for name in ("utf-9", "base64", "rot13"):
        with pytest.raises(SettingError, match=f"no encoding of text named '{name}'"):
            read(written("x\n1\n"), encoding=name)


def test_a_guessed_encoding_is_told_with_a_word(written):
    (note,) = read(written("x;n\nгород;1\n".encode("cp1251"))).notes
    assert "Windows-1251 text, with words such as 'город'" in note
    assert "--encoding " in spell(note, command_line=True)


@pytest.mark.parametrize("marked", [False, True])
def test_utf_8_with_one_byte_that_is_none_is_told(written, marked):
    (note,) = read(written(b"\xef\xbb\xbf" * marked + "x,y\nü,1\n".encode() + b"\xfc,2\n")).notes
    assert "not UTF-8" in note


def test_parts_of_one_file_have_one_encoding(written, monkeypatch):
    monkeypatch.setattr("chainrule.tables.sources.streaming._BLOCK", 40)
    content = "x,y\n" + "a,1\n" * 30 + "Müller,2\n" * 30 + "MÃ¼ller,3\n" * 30
    path = written(content.encode("cp1252"))
    parts = list(stream(path))
    assert pl.concat([part.frame for part in parts]).equals(read(path).frame)
    assert sum("Windows-1252" in note for part in parts for note in part.notes) == 1


def test_accents_typed_in_two_ways_are_one(written):
    apart = unicodedata.normalize("NFD", "größe,Zürich")
    table = read(written(f"{apart}\n1,Zürich\n2,{apart.split(',')[1]}\n"))
    assert table.column("größe").to_list() == ["1", "2"]
    assert table.column("Zürich").n_unique() == 1
    (note,) = table.notes
    assert note.endswith("(Unicode's NFC), as in 'größe'")


def test_comments_are_mentioned_and_counted(written):
    table = read(written("# one\n# two\na,b\n1,2\n"))
    assert table.notes == ("2 lines of comment before the table left out",)
    assert table.lines.tolist() == [4]
    assert read(written("# a,b\n1,2\n")).lines.tolist() == [2]


@pytest.mark.parametrize(
    ("content", "names", "rows", "comments"),
    [
        ("# made by R, version 4\nx,y\n1,2\n", ("x", "y"), [("1", "2")], 1),
        (
            "# made by R, version 4\nname,city\nAda,Paris\nAlan,London\n",
            ("name", "city"),
            [("Ada", "Paris"), ("Alan", "London")],
            1,
        ),
        ("# one, two, three\n# x,y\n1,2\n", ("x", "y"), [("1", "2")], 1),
        ("# x y z\n1 2 3\n4 5 6\n", ("x", "y", "z"), [("1", "2", "3"), ("4", "5", "6")], 0),
        ("#id,name\n1,Ada\n2,Alan\n", ("id", "name"), [("1", "Ada"), ("2", "Alan")], 0),
        ("#id,name\n#1,Ada\n#2,Alan\n", ("#id", "name"), [("#1", "Ada"), ("#2", "Alan")], 0),
        ("#tag,n\n#a,1\n#b,2\nc,3\n", ("tag", "n"), [("#a", "1"), ("#b", "2"), ("c", "3")], 0),
        ("tag,n\n#a,1\n#b,2\n", ("tag", "n"), [("#a", "1"), ("#b", "2")], 0),
        ("# name,city\nAda,Paris\nAlan,London\n", ("name", "city"), [("Ada", "Paris"), ("Alan", "London")], 0),
        ("#\n# a remark\n\n#\nx;y\n1;2\n", ("x", "y"), [("1", "2")], 3),
        ("#h;i\na;l\n2;l\nb;m\n", ("h", "i"), [("a", "l"), ("2", "l"), ("b", "m")], 0),
        ("#;first name\nx;Ada\ny;Alan\n", ("column_1", "first name"), [("x", "Ada"), ("y", "Alan")], 0),
        ("# 0,1,2\n5,6,7\n", ("0", "1", "2"), [("5", "6", "7")], 0),
        ("#,name\n1,Ada\n2,Alan\n", ("column_1", "name"), [("1", "Ada"), ("2", "Alan")], 0),
    ],
)
def test_what_begins_with_a_number_sign(written, content, names, rows, comments):
    table = read(written(content))
    assert table.names == names
    assert table.frame.rows() == rows
    assert sum("of comment" in note for note in table.notes) == bool(comments)
    assert not comments or table.notes[0].startswith(f"{comments} line")
    assert table.lines[-1] == content.rstrip("\n").count("\n") + 1


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


def test_many_names_are_told_in_part(written):
    notes = read(written("a" + ",a" * 99 + "\n1" + ",2" * 99 + "\n")).notes
    assert len(notes) == 6
    assert notes[-1] == "and so on, 99 columns in all"


def test_the_row_names_of_r(written):
    table = read(written('"a" "b"\n"1" 5 6\n"2" 7 8\n'), separator=" ")
    assert table.names == ("column_1", "a", "b")


def test_empty_rows_and_columns_are_left_out(written):
    table = read(written("a;b;;\n1;2;;\n;;;\n3;4;;\n;;;\n"))
    assert table.names == ("a", "b")
    assert table.frame.rows() == [("1", "2"), (None, None), ("3", "4")]
    assert table.lines.tolist() == [2, 3, 4]
    assert table.notes == (
        "1 row without any value at the end left out",
        "1 row without any value (line 3) kept, so that rows keep their numbers",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"data\.csv is empty; a table needs a row of column names"),
        ("\n \n", r"data\.csv is empty"),
        ("a,b\n", "holds column names and nothing else"),
        ("a,b\n,\n,\n", "holds no values"),
        ('a,b\n""\n', "holds no values"),
        (
            "a,b\n1,2\n3\n4,5,6\n",
            r"has 2 columns \('a', 'b'\), but 2 rows have another number of cells: line 3 has 1, line 4 has 3\. "
            r'Correct the rows \(a cell with a comma in it needs quotation marks.*separator="semicolon"',
        ),
        ("a,b\n1,2,3\n4,5,6\n7,8\n", "but 2 rows have another number"),
        ('a,b\n1,2\n3,"4\n5,6\n', "ends inside quotation marks opened at line 3"),
        ('# by hand\n"a,b\n1,2\n', "ends inside quotation marks opened at line 2"),
        (b"PK\x03\x04 and so on", "spreadsheet or ZIP file, not CSV text; save the sheet as CSV"),
        (b"\x89PNG\r\n\x00\x00", "is not text"),
        (b"a,b\n1,2\x00\n3,4\n", "is not text: there is a NUL byte in line 2"),
        (b"a,b\n1,2\n\x003,4\n", "is not text: there is a NUL byte in line 3"),
        (b"a,b\r\n1,2\r\n3,\x004\n", "is not text: there is a NUL byte in line 3"),
        (b"\x1f\x8b broken", "damaged gzip file"),
    ],
)
def test_what_cannot_be_read_says_why(written, content, message):
    with pytest.raises(TableError, match=message):
        read(written(content))


def test_an_absent_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent.csv")
    (tmp_path / "people.csv").write_text("age\n3\n")
    for reading in (read, as_table, lambda path: list(stream(path)), cr.load):
        with pytest.raises(MissingFileError, match=r"there is no file .*peple.csv .did you mean 'people.csv'"):
            reading(tmp_path / "peple.csv")
    with pytest.raises(MissingFileError, match="there is no folder"):
        as_table(str(tmp_path / "no" / "people.csv"))


def test_columns_by_name(written):
    table = read(written(PLAIN))
    assert table.without(["name"]).names == ("age",)
    assert table.rows(np.array([1])).frame.rows() == [("Alan", "41")]
    with pytest.raises(UnknownNameError, match=r"there is no column named 'Age' .did you mean 'age'"):
        table.without(["Age"])


def test_an_unknown_column_of_a_wide_table_does_not_list_all(written):
    table = read(written(",".join(f"pixel{i}" for i in range(784)) + "\n" + "0," * 783 + "0\n"))
    with pytest.raises(UnknownNameError) as caught:
        table.column("pixel_5")
    assert "one of the 784 that data.csv has: pixel0" in str(caught.value)
    assert len(str(caught.value)) < 250


# What Polars would read otherwise than it stands there


@pytest.mark.parametrize(
    ("content", "rows", "lines"),
    [
        ('a,b\n5",3\n6,4\n', [('5"', "3"), ("6", "4")], [2, 3]),
        ('a,b\n5",3\n6",4\n', [('5"', "3"), ('6"', "4")], [2, 3]),
        ('a,b\n1, "x, y"\n2,"z" \n', [("1", "x, y"), ("2", "z")], [2, 3]),
        ('a,b\n"",x\n1,"  "\n', [(None, "x"), ("1", None)], [2, 3]),
        ('a,b\n"1\n2\n",x\n3,"\ny"\n4,z', [("1\n2", "x"), ("3", "y"), ("4", "z")], [2, 5, 7]),
        ('a,b\n"x \\"y\\", z",1\n"",2\n', [('x "y", z', "1"), (None, "2")], [2, 3]),
        ('a,b\n"C:\\dir\\",1\nx,2\n', [("C:\\dir\\", "1"), ("x", "2")], [2, 3]),
        ("a,b\n1,2,\n3,4\n", [("1", "2"), ("3", "4")], [2, 3]),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n\r\n", [("1", "2"), ("3", "4")], [2, 4]),
        ("a\n1\n\n3\n\n", [("1",), (None,), ("3",)], [2, 3, 4]),
        ("a b\n 1   2\n3 4 \n", [("1", "2"), ("3", "4")], [2, 3]),
        ("a,b\n\u00a0x\u00a0,1\n", [("x", "1")], [2]),
        ("a,b\n1,x\0y\n".replace("\0", "\t"), [("1", "x\ty")], [2]),
        ("a,b\n1," + "x" * 200_000 + "\n2, \n", [("1", "x" * 200_000), ("2", None)], [2, 3]),
        ('a,b\n1, "' + "x\n" * 100_000 + 'y"\n2,z\n', [("1", "x\n" * 100_000 + "y"), ("2", "z")], [2, 100_003]),
    ],
)
def test_cells_are_read_as_they_stand(written, content, rows, lines):
    table = read(written(content))
    assert table.frame.rows() == rows
    assert table.lines.tolist() == lines


def test_the_limit_of_cells_is_as_it_was(written):
    before = csv.field_size_limit()
    read(written("a,b\n1, " + "x" * 200_000 + "\n2\n".replace("2\n", "2,3\n\n")))
    assert csv.field_size_limit() == before


_CELLS = st.text(st.sampled_from('ab1 .,;"\n#é'), max_size=5)


@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(_CELLS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_the_standard_library_writes_is_read(rows, separator, end, quoting):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([[f"c{i}" for i in range(len(rows[0]))], *rows])
    expected = [tuple(cell.strip() or None for cell in row) for row in rows]
    while expected and not any(expected[-1]):
        expected.pop()
    if not expected:
        with pytest.raises(TableError, match="values"):
            from_bytes(out.getvalue().encode(), "data.csv", TextFormat(separator))
    else:
        table = from_bytes(out.getvalue().encode(), "data.csv", TextFormat(separator))
        assert table.frame.rows() == expected
        starts = [1 + out.getvalue()[:i].count("\n") for i in range(len(out.getvalue()))]
        assert set(table.lines) <= set(starts)
        assert len(table.lines) == len(table)


def test_rows_of_a_large_file_that_are_too_short_are_named(written):
    rows = ["1,2,3"] * 50_000
    rows[40_000], rows[45_000] = "1,2", "1,2,3,4"
    with pytest.raises(TableError, match=r"but 2 rows have .*: line 40,?002 has 2, line 45,?002 has 4"):
        read(written("a,b,c\n" + "\n".join(rows)))
    rows[45_000] = "1,2,3"
    with pytest.raises(TableError, match=r"but 1 row has .*: line 40,?002 has 2"):
        read(written("a,b,c\n" + "\n".join(rows) + '\n"1","2,5",""\n'))


@pytest.mark.parametrize(
    ("above", "titles", "line"),
    [
        ("Sales 2024\n", ("Sales 2024",), 3),
        ("Sales 2024,,\n\nin euros,,\n", ("Sales 2024", "in euros"), 5),
        ('"Sales,\n2024",,\n,,\n', ("Sales,\n2024",), 5),
    ],
)
def test_titles_above_a_table(written, above, titles, line):
    table = read(written(above + "town,day,units\nRome,1,2\nOslo,2,3\n"))
    assert table.names == ("town", "day", "units")
    assert [table.line(row) for row in range(2)] == [f"row 1, line {line}", f"row 2, line {line + 1}"]
    (note,) = table.notes
    assert note.startswith(f"{len(titles)} title{'s' * (len(titles) > 1)} above the table left out: ")
    assert all(repr(title) in note for title in titles)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("x\nr1,1\nr2,2\n", ("column_1", "x")),  # R's names of rows
        ("x,,\n1,2,3\n4,5,6\n", ("x", "column_2", "column_3")),  # two columns without names
        ("text\nHe came, he saw, he won\nno\nwell, no\nyes\n", ("text",)),
        ("text\none\ntwo\n", ("text",)),
        ('"a";"b";"c"\n"x";"22,7 %";"0,5"\n"y";"77,7 %";"1,5"\n"z";"81,1 %";"3,5"\n', ("a", "b", "c")),
        ("a|b|c\nx|22,7 %|0,5 %\ny|77,7 %|1,5 %\nz|81,1 %|3,5 %\n", ("a", "b", "c")),
    ],
)
def test_a_name_is_no_title(written, content, names):
    try:
        table = read(written(content))
    except TableError as error:
        assert f"has {len(names)} column" in str(error)  # noqa: PT017 (either is right)
    else:
        assert table.names == names
