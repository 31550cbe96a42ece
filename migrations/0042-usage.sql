-- What requests have used of language models, its sums, and how much a user may spend in a month.
-- depends: 0041-audit

ALTER TABLE requests ADD COLUMN usage jsonb;

COMMENT ON COLUMN requests.usage IS
    'A list: which models it has used, their tokens and prices; null where nothing is said of it.';

CREATE TABLE usage_days (
    user_id           uuid NOT NULL,
    day               date NOT NULL,
    model             text NOT NULL,
    requests          bigint NOT NULL,
    input_tokens      bigint NOT NULL,
    cached_tokens     bigint NOT NULL,
    output_tokens     bigint NOT NULL,
    price             numeric,
    unpriced_requests bigint NOT NULL,
    CONSTRAINT usage_days_pkey PRIMARY KEY (user_id, day, model),
    CONSTRAINT usage_days_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON TABLE usage_days IS 'Sums over requests, kept by whoever ends one.';
COMMENT ON COLUMN usage_days.day IS 'Of UTC, on which they ended.';
COMMENT ON COLUMN usage_days.model IS 'Empty where none was named.';
COMMENT ON COLUMN usage_days.cached_tokens IS 'Which of the input came from a cache.';
COMMENT ON COLUMN usage_days.price IS 'USD, of what has a known price; null where nothing has.';

-- A row is about one user, or one group.
CREATE TABLE budgets (
    id       uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id  uuid,
    group_id uuid,
    usd      float8 NOT NULL,
    CONSTRAINT budgets_pkey PRIMARY KEY (id),
    CONSTRAINT uq_budgets_user_id UNIQUE (user_id),
    CONSTRAINT uq_budgets_group_id UNIQUE (group_id),
    CONSTRAINT ck_budgets_subject CHECK (num_nonnulls(user_id, group_id) = 1),
    CONSTRAINT ck_budgets_usd CHECK (usd >= 0 AND usd < 'infinity'),
    CONSTRAINT budgets_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT budgets_group_id_fkey FOREIGN KEY (group_id)
        REFERENCES groups (id) ON DELETE CASCADE
);

COMMENT ON COLUMN budgets.usd IS
    'For a month: a user''s in place of MONTHLY_BUDGET, or what a group''s members have together; 0: no bound.';

-- A month is one of UTC. A function, as what is not called in a statement costs it nothing.
CREATE FUNCTION spent_this_month(spender uuid) RETURNS float8
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT sum(price) FROM usage_days
        WHERE user_id = spender AND day >= CAST(date_trunc('month', timezone('utc', now())) AS date)
    ), 0);
END
$$;

CREATE FUNCTION spent_by_group_this_month(spender uuid) RETURNS float8
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT sum(price) FROM group_members JOIN usage_days USING (user_id)
        WHERE group_id = spender AND role <> 'invited'
          AND day >= CAST(date_trunc('month', timezone('utc', now())) AS date)
    ), 0);
END
$$;
