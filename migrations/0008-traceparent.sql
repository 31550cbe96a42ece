-- Where traces are wanted, a request carries its own from the gateway to whichever bridge runs it.
-- depends: 0007-router-term

ALTER TABLE requests ADD COLUMN traceparent text;

COMMENT ON COLUMN requests.traceparent IS
    'W3C Trace Context of the acceptance; null where nobody traces.';
