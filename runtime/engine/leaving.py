"""How a run leaves before it has come to its end. No handler of a flow can catch these: they are no Exceptions."""

from runtime.failures import StepFailure


class Leaving(BaseException):
    """The run goes no further for now."""


class Abandoned(Leaving):  # what happened to the run, not an error of it
    """A write of this run changed nothing: somebody else owns or ended it."""


class Suspended(Leaving):  # it comes back when its time is due
    """The run has nothing to do before `until`. `failure` is that of the attempt before, where another one is due."""

    def __init__(self, until: int, step: str, failure: StepFailure | None = None) -> None:
        super().__init__(until, step, failure)
        self.until = until
        self.step = step
        self.failure = failure


class Parked(Leaving):  # a state that a run is in
    """A person has to say how it goes on; neither `else` nor `on error` of the flow sees it."""

    def __init__(self, step: str, code: str, message: str, attempt: int = 0) -> None:
        super().__init__(step, code, message)
        self.step = step
        self.failure = StepFailure(code, message)
        self.failure.step, self.failure.attempt = step, attempt


class Diverged(Parked):
    """The records of the run and what the flow asks for now do not agree."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(step, "diverged", message)
