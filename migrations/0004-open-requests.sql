-- How many messages a user has open is asked whenever one is accepted.
-- depends: 0003-files

CREATE INDEX ix_requests_creator_id_open ON requests (creator_id)
    WHERE status IN ('queued', 'running');
