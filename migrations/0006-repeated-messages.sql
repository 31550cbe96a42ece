-- A message that comes twice is one message; what is old can be found.
-- depends: 0005-takeover

ALTER TABLE requests ADD COLUMN message_id uuid;

COMMENT ON COLUMN requests.message_id IS
    'The id that the sender gave the message: in its session it is accepted once.';

CREATE UNIQUE INDEX uq_requests_session_message ON requests (session_id, message_id)
    WHERE message_id IS NOT NULL;

-- For the removal of what is old, which finds it in the first blocks of the table.
CREATE INDEX ix_logs_created_at ON logs USING brin (created_at);
CREATE INDEX ix_requests_created_at ON requests USING brin (created_at);
