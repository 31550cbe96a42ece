-- When what is sent was ready, and when the answer went out.
-- depends: 0047-budgets-audited

ALTER TABLE requests
    ADD COLUMN composed_at timestamptz,
    ADD COLUMN delivered_at timestamptz;

COMMENT ON COLUMN requests.composed_at IS
    'When what its agent is sent was ready; null: it was not, or it is older than this column.';
COMMENT ON COLUMN requests.delivered_at IS
    'When a client was first given its answer; null: none was, or it is older than this column.';
