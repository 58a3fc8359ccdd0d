from pixelift.evaluate.table import caption, render_images, render_results, render_table


def make_result(model="balanced", scale=2, name="Set5", psnr_y=37.1, ssim_y=0.9571, **more):
    images = [
        {"name": "baby", "psnr_y": 38.456, "ssim_y": 0.96},
        {"name": "same", "psnr_y": None, "ssim_y": 1.0},
    ]
    scores = {"n": len(images), "psnr_y": psnr_y, "ssim_y": ssim_y, "images": images}
    return {"model": model, "scale": scale, "set": name, **scores, **more}


def test_a_table_is_markdown_with_names_left_and_numbers_right():
    assert render_table(["name", "dB"], [["a", "1.50"], ["longer", "10.25"]]).splitlines() == [
        "| name   |    dB |",
        "| :----- | ----: |",
        "| a      |  1.50 |",
        "| longer | 10.25 |",
    ]


def test_a_table_without_rows_is_its_header():
    assert render_table(["a", "b"], []) == "| a   |   b |\n| :-- | --: |"


def test_a_bar_in_a_cell_does_not_open_a_new_cell():
    assert r"| a\|b |" in render_table(["n"], [["a|b"]])


def test_each_picture_and_the_mean_has_a_row_and_an_infinite_psnr_a_dash():
    text = render_images(make_result(protocol="Y of RGB"))

    assert text.splitlines() == [
        "| picture   | PSNR-Y | SSIM-Y |",
        "| :-------- | -----: | -----: |",
        "| baby      |  38.46 | 0.9600 |",
        "| same      |      – | 1.0000 |",
        "| mean of 2 |  37.10 | 0.9571 |",
        "",
        "balanced x2 on Set5. Y of RGB.",
    ]


def test_results_of_several_sets_stand_side_by_side():
    results = [
        make_result("bicubic", 2, "Set5", 33.66, 0.93),
        make_result("bicubic", 2, "B100", 29.56, 0.8435),
        make_result("balanced", 2, "Set5", 37.1, 0.957),
        make_result("balanced", 4, "Set5", None, None),
    ]

    assert render_results(results).splitlines() == [
        "| model    | scale |           Set5 |           B100 |",
        "| :------- | ----: | -------------: | -------------: |",
        "| bicubic  |    x2 | 33.66 / 0.9300 | 29.56 / 0.8435 |",
        "| balanced |    x2 | 37.10 / 0.9570 |              – |",
        "| balanced |    x4 |          – / – |              – |",
    ]


def test_a_caption_does_without_a_protocol_that_is_not_known():
    assert caption(make_result()) == "balanced x2 on Set5."
