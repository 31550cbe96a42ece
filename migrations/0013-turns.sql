-- Who waits and who runs, by user: claims go round among users.
-- depends: 0012-master-form

CREATE INDEX ix_requests_status_creator_id_open ON requests (status, creator_id, position)
    WHERE status IN ('queued', 'running');
DROP INDEX ix_requests_creator_id_open;
DROP INDEX ix_requests_queued;
