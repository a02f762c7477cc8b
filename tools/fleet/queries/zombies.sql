-- Which process holds most zombies across the fleet?
-- Of each machine its newest snapshot counts, and a zombie once, however many handles a process has to it.
WITH newest AS (
    SELECT snapshot_id
    FROM (
        SELECT snapshot_id, row_number() OVER (PARTITION BY host ORDER BY start_time DESC) AS place
        FROM summary
    ) AS snapshots
    WHERE place = 1
),
held AS (
    SELECT DISTINCT host, snapshot_id, zombie_id, lower(image) AS image
    FROM zombie_holders
    WHERE snapshot_id IN (SELECT snapshot_id FROM newest)
)
SELECT image, count(*) AS zombies, count(DISTINCT host) AS hosts
FROM held
GROUP BY image
ORDER BY zombies DESC, image
LIMIT 5
