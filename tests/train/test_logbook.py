from PIL import Image

from pixelift.train.logbook import Logbook, draw_curves, read_log


def test_lines_are_appended_and_read_back(tmp_path):
    book = Logbook(tmp_path, from_step=0)
    book.add(100, loss=0.5)
    book.add(200, loss=0.4, psnr_y=30.0)
    book.close()
    assert read_log(tmp_path) == [
        {"step": 100, "loss": 0.5},
        {"step": 200, "loss": 0.4, "psnr_y": 30.0},
    ]
    assert list((tmp_path / "tensorboard").iterdir())


def test_steps_that_will_be_done_again_are_dropped_and_so_is_a_cut_off_line(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step":100,"loss":1}\n{"step":200,"loss":1}\n{"step":3')
    book = Logbook(tmp_path, from_step=100)
    book.add(200, loss=0.5)
    book.close()
    assert read_log(tmp_path) == [{"step": 100, "loss": 1}, {"step": 200, "loss": 0.5}]


def test_the_curves_are_a_picture(tmp_path):
    lines = [{"step": s, "loss": 1 / s, "psnr_y": 30 + s / 100} for s in range(100, 900, 100)]
    draw_curves(lines, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 500
