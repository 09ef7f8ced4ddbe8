"""Encodings of one byte a character: real words of many languages are recognised, and doubts are told with the other spelling."""

from __future__ import annotations

import itertools

import pytest

from chainrule.tables import spell
from chainrule.tables.text.code_pages import NAMES, code_page
from chainrule.tables.text.encoding import utf8

WORDS = {
    "German": "München Köln Straße größe Käse Müller Jürgen Österreich Äpfel Übung Fußball Brötchen fünf Mädchen Höhe",
    "French": "été français élève château garçon forêt hôtel première Noël où déjà côté façade Besançon Nîmes Béziers",
    "Spanish": "España año niño mañana corazón García Martínez Málaga Cádiz León Ávila pingüino señor también número",
    "Polish": "Łódź Kraków Gdańsk Wrocław Poznań Białystok Toruń książka życie źródło są będzie październik Małgorzata",
    "Russian": "Москва Казань Самара город улица Иванов Петрова мужчина женщина да нет красный большой январь сумма цена",
    "Ukrainian": "Київ Львів Одеса Харків місто вулиця Україна чоловік жінка так ні червоний їжа",
    "Greek": "Αθήνα Θεσσαλονίκη Πάτρα Ηράκλειο πόλη όνομα άνδρας γυναίκα ναι όχι κόκκινο τιμή ημέρα Γιώργος Μαρία",
}
ENCODINGS = {
    "German": ("cp1252", "cp850"), "French": ("cp1252", "cp850", "mac-roman"), "Spanish": ("cp1252", "cp850"),
    "Polish": ("cp1250", "cp852"), "Russian": ("cp1251", "cp866", "koi8-r"), "Ukrainian": ("cp1251",), "Greek": ("cp1253",),
}  # fmt: skip
PAIRS = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings]


@pytest.mark.parametrize(("language", "encoding"), PAIRS)
def test_a_column_of_words_is_recognised(language: str, encoding: str) -> None:
    table = "\n".join(["id;name;total", *(f"{i};{word};{i / 8}" for i, word in enumerate(WORDS[language].split()))])
    found = utf8(table.encode(encoding), "data.csv")
    assert found.data.decode() == table
    assert NAMES[encoding] in found.notes[0]


@pytest.mark.parametrize(("language", "encoding"), PAIRS)
def test_few_words_are_recognised_or_the_right_spelling_is_told(language: str, encoding: str) -> None:
    """Of every two neighbouring words alone: never another spelling as if it were sure."""
    for pair in itertools.pairwise(WORDS[language].split()):
        text = " ".join(pair)
        guess = code_page(text.encode(encoding))
        spellings = [text.encode(encoding).decode(name, "replace") for name in (guess.encoding, *guess.others)]
        assert spellings[0] == text or not guess.sure
        assert text in spellings


@pytest.mark.parametrize("language", ["German", "French", "Spanish"])
def test_single_words_of_the_west_stay_what_they_were(language: str) -> None:
    for word in WORDS[language].split():
        assert utf8(f"x\n{word}\n".encode("cp1252"), "data.csv").data.decode() == f"x\n{word}\n"


def test_a_doubt_is_told_with_the_other_spelling_and_the_option() -> None:
    (note,) = utf8("x\nGdańsk\n".encode("cp1250"), "data.csv").notes
    assert "'Gdañsk', but that is not sure: as Windows-1250 it would be 'Gdańsk': " in note
    assert spell(note, command_line=True).endswith("--encoding cp1250")
    assert utf8("x\nGdańsk\n".encode("cp1250"), "data.csv", "cp1250").notes == []


def test_signs_alone_say_nothing_of_the_language() -> None:
    found = utf8("x;y\n5 €;10 °C\n“so”;±3\n".encode("cp1252"), "data.csv")
    assert (found.encoding, "5 €;10 °C" in found.data.decode()) == ("cp1252", True)


def test_few_of_many_lines_are_found() -> None:
    text = "a,b\n" * 50_000 + "Москва,1\nКазань,2\n" + "a,b\n" * 50_000
    assert code_page(text.encode("cp1251")).encoding == "cp1251"


def test_the_word_that_is_shown_is_one_of_letters():
    text = "price;town\n" + "".join(f"{i},50 €;{town}\n" for i, town in enumerate(["Münster", "Köln", "Bonn"] * 9))
    (told,) = utf8(text.encode("cp1252"), "t.csv")[1]
    assert "Windows-1252 text, with words such as 'Münster'" in told
