"""What a client does when the provider breaks: a plan of runs, their verdicts, and a report.

May import the reports and what is below them. It knows no process and no socket: what
runs the program is handed in, and a world is read through the control API.
"""
