"""What goes on beside a story, on a thread of its own, until the story leaves its `with`."""

import threading

from api_client import ApiError


class Background:
    """Takes a turn each `seconds`. A turn that a server spoils is told of, and the next one comes all the same."""

    def __init__(self, seconds):
        self._between = seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def turn(self):
        raise NotImplementedError

    def spoilt(self, trouble):
        """The next turn makes up for it."""

    def _run(self):
        while not self._is_over.wait(self._between):
            try:
                self.turn()
            except (ApiError, OSError) as trouble:
                self.spoilt(trouble)
