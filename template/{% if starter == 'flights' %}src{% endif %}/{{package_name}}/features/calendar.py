"""When a flight leaves, on the clocks and calendars of the people who run the airport."""

import narwhals as nw

TIME_ZONE = "America/New_York"


def features() -> list[nw.Expr]:
    """The hour of the day (7.5 is half past seven) and the day of the week (1 is Monday).

    Both in local time: at 8 pm in New York, UTC has reached the next day.
    """
    local = nw.col("scheduled_departure").dt.convert_time_zone(TIME_ZONE).dt
    return [
        (local.hour() + local.minute() / 60).alias("hour"),
        local.weekday().cast(nw.Int64).alias("weekday"),
    ]
