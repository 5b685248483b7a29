-- Settings of the database, set again after each migration: a copy of the database, or one restored from a dump, has
-- none of them. They are not settings of a session, because a pooler would pin a session that changed its own.
DO $$
BEGIN
    -- Shorter than the timeouts in db.py, which are shorter than those of the functions.
    EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''4s''', current_database());
    EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''10s''', current_database());
    EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''10s''', current_database());
    -- The pages are in memory or on flash, where a random read costs as much as a sequential one. PostgreSQL's default
    -- of 4 is for spinning disks, and makes the planner read whole tables where an index would do.
    EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database());
END
$$;
