import pytest

from tools import gen_tables


@pytest.fixture
def document(tmp_path, monkeypatch):
    monkeypatch.setattr(gen_tables, "ROOT", tmp_path)
    monkeypatch.setattr(gen_tables, "DOCUMENTS", ("page.md",))
    monkeypatch.setattr(gen_tables, "TABLES", {"one": lambda: "| fresh |"})
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- table: one -->\n| stale |\n<!-- end of table -->\nafter\n")
    return path


def test_a_stale_table_is_found_and_left_alone_by_check(document, capsys):
    before = document.read_text()
    assert gen_tables.main(["--check"]) == 1
    assert "out of date: page.md. Run: make tables" in capsys.readouterr().out
    assert document.read_text() == before


def test_only_what_stands_between_the_markers_is_written(document):
    assert gen_tables.main([]) == 0
    assert document.read_text() == (
        "before\n<!-- table: one -->\n| fresh |\n<!-- end of table -->\nafter\n"
    )
    assert gen_tables.main(["--check"]) == 0


def test_every_table_names_command_commit_and_machine():
    for name in ("quality", "speed", "engines"):
        made = gen_tables.load(name)["made_by"]
        text = gen_tables.TABLES[name]()
        assert all(made[key] in text for key in ("command", "commit", "machine"))


def test_a_table_whose_measurement_is_not_there_says_how_to_get_it(document, monkeypatch, tmp_path):
    monkeypatch.setattr(gen_tables, "RESULTS", tmp_path)
    monkeypatch.setattr(gen_tables, "TABLES", {"one": lambda: str(gen_tables.load("peers"))})
    assert gen_tables.main([]) == 0
    assert "Not measured yet: there is no peers.json. Run: make bench\n" in document.read_text()
