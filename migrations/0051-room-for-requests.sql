-- A new version of a request finds room beside the one before.
-- depends: 0050-sign-ins-together

-- A request is changed three times within seconds. Where the last change, of no indexed column, stays
-- in its page, no index is touched; and the room of former versions is used again before vacuum.
ALTER TABLE requests SET (fillfactor = 50);
