"""Schedules: UDFs that the server runs at given times."""

import datetime
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..._global_api import get_api
from ..._validation import Check, Model, field, flag, list_of, mapping, moment, optional, strict_integer, text

if TYPE_CHECKING:
    from ..internal import RunResponse
    from ..udf import Udf


def _times(name: str, least: int, most: int) -> Check:
    """A list of whole numbers between two; one alone becomes a list."""

    def checked(value: Any) -> list[int]:
        given = value if isinstance(value, list) else [value]
        try:
            if all(least <= strict_integer(one) <= most for one in given):
                return given
        except ValueError:
            pass
        raise ValueError(f"{name} must be between {least} and {most}")

    return checked


def _minute(value: Any) -> list[int]:
    minute = _times("Minute", 0, 59)(value)
    if len(minute) > 1:
        raise ValueError("Minute must be a single integer")
    return minute


class CronJob(Model):
    """A schedule, in UTC: the UDF runs whenever minute, hour, day of the month, month and day of the week (0 is Sunday) all fit.

    Methods that ask the server raise HTTPError where it refuses, and RuntimeError where none is configured.
    """

    id: str | None = field(optional(text), default=None)
    name: str = field(text)
    description: str | None = field(optional(text), default=None)
    execution_environment_id: str | None = field(optional(text), default=None)
    enabled: bool = field(flag)
    minute: list[int] = field(_minute)
    hour: list[int] = field(_times("Hour", 0, 23))
    day_of_month: list[int] = field(_times("Day of month", 1, 31))
    month: list[int] = field(_times("Month", 1, 12))
    day_of_week: list[int] = field(_times("Day of week", 0, 6))
    udf_id: str = field(text, alias="udf")
    udf_args: dict[str, Any] | None = field(optional(mapping), default=None)
    last_run: datetime.datetime | None = field(optional(moment), default=None)

    @classmethod
    def from_udf(cls, udf: "Udf | str", minute: list[int] | int, hour: list[int] | int, day_of_month: list[int] | int | None = None,
                 month: list[int] | int | None = None, day_of_week: list[int] | int | None = None, udf_args: dict[str, Any] | None = None,
                 enabled: bool = True, description: str | None = None, _create_udf: bool = True, **kwargs: Any) -> "CronJob":  # fmt: skip
        """Schedules a UDF. One that already has a schedule gets this one in its place.

        Args:
            udf: the UDF, or anything that `fused.load` takes. It is saved first where it is not.
            minute: 0 to 59, one only.
            hour: 0 to 23, one or a list; in UTC.
            day_of_month: 1 to 31, one or a list. None is every day.
            month: 1 to 12, one or a list. None is every month.
            day_of_week: 0 (Sunday) to 6, one or a list. None is every day.
            udf_args: the parameters of the runs.
            enabled: whether it runs at all.
            description: what it is for. None is the description of the UDF.

        Raises ValueError where the UDF cannot be saved, ValidationError for times that do not exist.
        """
        from ..._load import load

        if isinstance(udf, str):
            udf = load(udf)
        udf_id = udf._id()
        if udf_id is None and _create_udf:
            try:
                udf = udf.to_fused(overwrite=True)
            except Exception as error:
                raise ValueError(f"Could not save UDF. Call to_fused() on the UDF. Original error: {error}") from error
            udf_id = udf._id()
        if udf_id is None:
            raise ValueError("UDF has not been saved yet, call to_fused() on the UDF or CronJob.from_udf with _create_udf=True")
        times = {
            "minute": minute,
            "hour": hour,
            "day_of_month": list(range(1, 32)) if day_of_month is None else day_of_month,
            "month": list(range(1, 13)) if month is None else month,
            "day_of_week": list(range(7)) if day_of_week is None else day_of_week,
        }
        description = description or (udf.metadata or {}).get("fused:description")
        known = {"udf_id": udf_id, "name": udf.name, "description": description, "enabled": enabled, "udf_args": udf_args}
        job = cls.model_validate({**known, **times, **kwargs})
        existing = get_api().get_cronjobs_for_udf(udf_id)
        if len(existing) == 0:
            return job.create()
        job.id = existing[0].id
        job.execution_environment_id = existing[0].execution_environment_id
        return job.update()

    @classmethod
    def from_id(cls, cronjob_id: str) -> "CronJob":
        """The schedule of that id."""
        return get_api().get_cronjob(cronjob_id)

    @classmethod
    def list_team(cls) -> list["CronJob"]:
        """All schedules of the team."""
        return get_api().list_cronjobs()  # type: ignore[return-value]

    @property
    def udf(self) -> "Udf":
        """The UDF, loaded from the server."""
        from ..._load import load

        return load(self.udf_id)

    def delete(self) -> "CronJob":
        """Deletes the schedule. Gives what it was, without an id. Raises ValueError where it was not saved."""
        deleted = get_api().delete_cronjob(self._saved())
        self.id = deleted.id = None
        return deleted

    def create(self) -> "CronJob":
        """Saves it as a new schedule. Gives it as the server has it."""
        created = get_api().create_cronjob(self)
        self.id = created.id
        self.execution_environment_id = created.execution_environment_id
        return created

    def update(self, create: bool = False) -> "CronJob":
        """Saves the changes. Raises ValueError where it was not saved yet, unless `create`."""
        if self.id is not None:
            return get_api().update_cronjob(self)
        if create:
            return self.create()
        raise ValueError("This cron job has not been saved yet. Call update(create=True) to save it.")

    def refresh_from_api(self) -> "CronJob":
        """The schedule as the server has it now. Raises ValueError where it was not saved."""
        return get_api().get_cronjob(self._saved())

    def run_now(self) -> "RunResponse":
        """Runs the UDF now, as a job. Raises ValueError where the schedule was not saved."""
        answer = get_api().run_cronjob(self._saved())
        self.last_run = answer["cronjob"].last_run
        return answer["run"]

    def _saved(self) -> str:
        if self.id is None:
            raise ValueError("This cron job has not been saved yet")
        return self.id

    @property
    def _schedule(self) -> str:
        """Its times as cron writes them."""
        parts = [
            (self.minute, range(60)),
            (self.hour, range(24)),
            (self.day_of_month, range(1, 32)),
            (self.month, range(1, 13)),
            (self.day_of_week, range(7)),
        ]
        return " ".join("*" if given == list(all_of_them) else ",".join(map(str, given)) for given, all_of_them in parts)

    def __repr__(self) -> str:
        disabled = "" if self.enabled else " [disabled]"
        unsaved = "" if self.id else " [not saved -- call create()]"
        return f"<CronJob {self.name} ({self._schedule}){disabled}{unsaved}>"


class CronJobSequence(Model):
    """Schedules, in order: `len`, index and iteration work."""

    root: Sequence[CronJob] = field(list_of(CronJob.model_validate))

    @classmethod
    def model_validate(cls, value: Any) -> "CronJobSequence":
        """Makes one of a list of dicts or schedules. Raises ValidationError."""
        return value if isinstance(value, cls) else cls(root=value)

    def __iter__(self) -> Iterator[CronJob]:
        return iter(self.root)

    def __getitem__(self, item: int) -> CronJob:
        return self.root[item]

    def __len__(self) -> int:
        return len(self.root)

    def __repr__(self) -> str:
        return repr(self.root)
