-- Which of the model configs that a user may use a request means.
-- depends: 0048-times-of-requests
-- transactional: false

-- Without a name his newest, or if he has none, the newest that is shared with him. Those have `@`
-- and the name of who shares them behind their own.
CREATE OR REPLACE FUNCTION chosen_config(
    a_user uuid, a_config_name text, a_provider_name text
) RETURNS TABLE (
    provider_id uuid, provider varchar, api_key varchar, provider_metadata json, config_id uuid,
    credentials json, config_name varchar, model varchar, temperature float8,
    system_prompt varchar, user_prompt varchar, max_last_messages int
) LANGUAGE sql STABLE AS $$
    SELECT provider.id, provider.name, provider.api_key, provider.provider_metadata, config.id,
           config.credentials, config.name, config.model, config.temperature,
           config.system_prompt, config.user_prompt, config.max_last_messages
    FROM usable_configs(a_user) AS config CROSS JOIN LATERAL (
        SELECT id, name, modelproviders.api_key, modelproviders.provider_metadata
        FROM modelproviders
        WHERE id = config.provider_id AND creator_id = config.creator_id LIMIT 1
    ) AS provider
    WHERE (a_config_name IS NULL OR a_config_name = CASE
              WHEN config.creator_id = a_user THEN config.name
              ELSE concat(config.name, '@', (
                  SELECT username FROM users WHERE users.id = config.creator_id
              )) END)
      AND (a_provider_name IS NULL OR provider.name = a_provider_name)
    ORDER BY config.creator_id <> a_user, config.created_at DESC, config.id LIMIT 1
$$;
