"""Everything that happens later or long: schedules, runs, and the loop that starts them.

`service.Jobs` is what pages and the API use, `scheduler.Scheduler` the loop, `records` the rows.
"""
