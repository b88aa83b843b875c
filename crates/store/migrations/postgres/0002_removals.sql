-- The transaction that was the last to remove instances for good. A sequence says so at once, to whatever statement.
CREATE SEQUENCE removals MINVALUE 0;
SELECT setval('removals', 0);

-- How many of these rows of the log are there now (of any unit, where that is 0), whatever the statement that asks sees: what is volatile
-- looks anew.
CREATE FUNCTION log_stands(instances bigint[], seqs bigint[], units bigint[]) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT count(*)
        FROM unnest(instances, seqs, units) AS s (instance, seq, unit)
        JOIN log AS t ON t.instance = s.instance AND t.seq = s.seq AND s.unit IN (0, t.unit)
    );
END
$$;
