import signal
import threading

import pytest

from pixelift.cli.interrupt import Interrupt


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted_and_the_second_ends_the_program(number, code):
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert interrupt.number == 0
        signal.raise_signal(number)
        assert (interrupt.number, interrupt.exit_code) == (number, code)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) == before


def test_elsewhere_than_in_the_main_thread_nothing_is_listened_to():
    found = []

    def listen():
        with Interrupt() as interrupt:
            found.append(interrupt.number)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [0]
