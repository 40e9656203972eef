"""The keeper of several processes: PostgreSQL, through psycopg, which is an extra.

May import the store and the kernel; nothing may import it before a database is asked for.
"""
