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
    EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length_on_error = 0', current_database());
END
$$;

-- An error quotes values and rows, and the log of PostgreSQL must not contain them. The functions log the code of each
-- error. An owner without these rights has to set them for the whole server; template.yaml does.
DO $$
DECLARE
    name  text;
    value text;
BEGIN
    FOR name, value IN
        VALUES ('log_min_messages', 'log'), ('log_error_verbosity', 'terse'), ('log_parameter_max_length', '0')
    LOOP
        IF has_parameter_privilege(current_user, name, 'SET') THEN
            EXECUTE format('ALTER DATABASE %I SET %I = %L', current_database(), name, value);
        END IF;
    END LOOP;
END
$$;
