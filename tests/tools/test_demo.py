from PIL import Image

from tools import demo


def test_the_demo_prints_a_table_and_draws_its_pictures(tmp_path, capsys):
    demo.main(tmp_path)
    printed = capsys.readouterr().out
    assert "bicubic" in printed
    assert "Pixelift balanced" in printed
    sizes = {}
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    assert sizes["small.png"] == (288, 240)
    assert sizes["bicubic.png"] == sizes["pixelift.png"] == (1152, 960)
    width, height = sizes["side_by_side.png"]
    assert width == 3 * demo.DETAIL.width * demo.ZOOM + 2 * demo.GAP
    assert height == demo.DETAIL.height * demo.ZOOM
