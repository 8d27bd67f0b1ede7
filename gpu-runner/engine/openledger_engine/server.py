"""Reads requests, runs each in its lane, and answers each exactly once."""

from __future__ import annotations

import sys
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from .errors import EngineError, as_engine_error
from .frames import FrameWriter, MalformedFrame, read_frame
from .methods import METHODS, Answer, Job, Method
from .settings import build

# One training at a time: it already uses every core. Short ones share a few threads, so that hashing a large file
# does not keep a small one waiting. The lane of generation only prepares requests: the scheduler answers them later.
LANES = {"train": 1, "generate": 2, "short": 3}
# At the end, for what others answer. Nobody may be reading any more, and then no answer ever gets out.
LAST_ANSWERS_SECONDS = 30.0


class Server:
    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._writer = FrameWriter(sink)
        self._lanes = {name: ThreadPoolExecutor(size, thread_name_prefix=name) for name, size in LANES.items()}
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()
        self._answered = threading.Condition(self._lock)

    def serve(self) -> None:
        """Returns at the end of the input or after `shutdown`; raises MalformedFrame."""
        while (frame := read_frame(self._source)) is not None:
            request_id = frame.get("id")
            if not isinstance(request_id, int) or isinstance(request_id, bool) or request_id < 0:
                raise MalformedFrame("a frame without a usable id can't be answered")
            if frame.get("cancel") is True:
                self._cancel(request_id)
            elif frame.get("method") == "shutdown":
                self.stop()
                self._writer.write({"id": request_id, "result": {}})
                return
            else:
                self._start(request_id, frame)
        self.stop()

    def stop(self) -> None:
        """Cancels everything and waits until it has answered."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancelled.set()
        for lane in self._lanes.values():
            lane.shutdown(wait=True)
        with self._answered:
            self._answered.wait_for(lambda: not self._jobs, timeout=LAST_ANSWERS_SECONDS)

    def _cancel(self, request_id: int) -> None:
        with self._lock:
            job = self._jobs.get(request_id)
        if job is None:  # answered already: the cancel came too late
            return
        job.cancelled.set()
        if job.future is not None and job.future.cancel():  # it was still waiting for its lane
            self._answer(request_id, error=EngineError("cancelled", "the request was cancelled before it began"))

    def _start(self, request_id: int, frame: dict[str, Any]) -> None:
        method = METHODS.get(frame["method"]) if isinstance(frame.get("method"), str) else None
        job = Job(lambda event, data: self._writer.write({"id": request_id, "event": event, "data": data}))
        with self._lock:
            if request_id in self._jobs:
                raise MalformedFrame(f"id {request_id} is still in use")
            self._jobs[request_id] = job
        if not isinstance(frame.get("method"), str):
            self._answer(request_id, error=EngineError("bad_request", "a request needs a method"))
        elif method is None:
            self._answer(request_id, error=EngineError("unknown_method", f"there is no method {frame['method']!r}"))
        else:
            params = frame.get("params")
            job.future = self._lanes[method.lane].submit(self._run, request_id, method, params, job)

    def _run(self, request_id: int, method: Method, params: Any, job: Job) -> None:
        try:
            job.check()
            result = method.run(build(method.params, params), job)
            if isinstance(result, Future):
                result.add_done_callback(lambda later: self._answer_later(request_id, later))
            else:
                self._answer(request_id, result=result)
        except BaseException as error:
            self._fail(request_id, error)

    def _answer_later(self, request_id: int, later: Future[Answer]) -> None:
        try:
            self._answer(request_id, result=later.result())
        except BaseException as error:
            self._fail(request_id, error)

    def _fail(self, request_id: int, error: BaseException) -> None:
        answer = as_engine_error(error)
        if answer.code == "internal":
            traceback.print_exception(error, file=sys.stderr)
        self._answer(request_id, error=answer)

    def _answer(self, request_id: int, result: Any = None, error: EngineError | None = None) -> None:
        frame = {"id": request_id, "error": error.frame()} if error else {"id": request_id, "result": result}
        # The id is free only once the answer is out; a writing failure leaves it in place for the error answer.
        self._writer.write(frame)
        with self._lock:
            del self._jobs[request_id]
            self._answered.notify_all()
