-- Whose boot list differs from the majority?
-- smss compares without regard to case, and runs one entry after the other: their order counts. A list can be empty.
WITH boot_lists AS (
    SELECT summary.host, summary.snapshot_id,
        array_sort(array_agg(
            coalesce(list || ' ' || position || ': ' || lower(entry), 'nothing')
        )) AS boot_list
    FROM summary
    LEFT JOIN session_manager_lists AS lists ON lists.snapshot_id = summary.snapshot_id
    GROUP BY summary.host, summary.snapshot_id
),
majority AS (
    SELECT boot_list
    FROM boot_lists
    GROUP BY boot_list
    ORDER BY count(DISTINCT host) DESC
    LIMIT 1
)
SELECT DISTINCT host, boot_list
FROM boot_lists
WHERE boot_list <> (SELECT boot_list FROM majority)
ORDER BY host, boot_list
