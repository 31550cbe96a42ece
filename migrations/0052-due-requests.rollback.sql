-- transactional: false

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_queued_deadline ON requests (deadline)
    WHERE status = 'queued';
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_running_lease ON requests (lease_until)
    WHERE status = 'running';
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_due;
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_lost;
