from pixelift.image.find import find_pictures


def test_pictures_are_found_at_any_depth_in_a_fixed_order(tmp_path):
    names = ["b.JPG", "a/z.png", "a b/ü.webp", "notes.txt", ".hidden.png", ".git/x.png"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    found = [p.relative_to(tmp_path).as_posix() for p in find_pictures(tmp_path)]
    assert found == ["a/z.png", "a b/ü.webp", "b.JPG"]
