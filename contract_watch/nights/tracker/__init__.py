"""The tracker: one issue for each vendor that drifts, none for one that does not.

==================  ==========================================================
`vendor_night`      the part of ``night.json`` that decides about one issue
`marker`            the state of an issue, hidden in its body
`cause_changes`     new and gone causes, compared with the marker
`decisions`         the step that a night asks for: a pure function
`safe_text`         escaping for issues, beyond Markdown
`issue_text`        title and body
`comment_text`      comments
`settings`          variables of the environment
`connections`       HTTP with bounded bodies, to one address only
`retrying`          waits for rate limits and outages of the tracker
`github_tracker`    the client of the issues API
`keeper`            list, decide, write; duplicates and races
==================  ==========================================================
"""
