"""What a server says of jobs."""

from .job import JobResponse, Jobs, RunResponse

__all__ = ["JobResponse", "Jobs", "RunResponse"]
