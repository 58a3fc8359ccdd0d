from pixelift.train.watch import State, Watcher


def test_a_watcher_that_overrides_nothing_hears_all_and_never_stops_a_training():
    watch = Watcher()
    heard = [
        watch.tell("training in float32"),
        watch.stepped(3),
        watch.report(State(3, 9, 1.0, 6.0, 0.1, None, 30.0)),
    ]
    assert heard == [None] * 3
    assert watch.wants_stop() is False
