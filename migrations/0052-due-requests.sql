-- Requests that are due are found by indexes that nothing else is looked up in.
-- depends: 0051-room-for-requests
-- transactional: false

-- Of requests that wait, of which there are few, PostgreSQL took the smallest index there was and
-- read all of it: a look for whose turn it is went through all who wait for each of them. These are
-- of requests that have not ended, which only who asks for what is due says of them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_due ON requests (deadline)
    WHERE ended_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_lost ON requests (lease_until)
    WHERE ended_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_queued_deadline;
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_running_lease;
