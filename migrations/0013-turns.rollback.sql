CREATE INDEX ix_requests_queued ON requests (position) WHERE status = 'queued';
CREATE INDEX ix_requests_creator_id_open ON requests (creator_id)
    WHERE status IN ('queued', 'running');
DROP INDEX ix_requests_status_creator_id_open;
