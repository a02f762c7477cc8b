-- Which driver is on one machine only?
-- A driver is its name and where its module is, in any case: the same name from another place is another driver.
SELECT min(host) AS host, lower(name) AS driver, lower(module) AS module, min(state) AS state
FROM drivers
GROUP BY lower(name), lower(module)
HAVING count(DISTINCT host) = 1
ORDER BY host, driver
