-- Sign-ins of several users begin in one statement: who acts is each one's own user.
-- depends: 0049-chosen-configs

-- As `note_audit`, for a sign-in that a service has stored: its user does it, from its address.
CREATE OR REPLACE FUNCTION note_sign_in() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit (action, via, actor_id, address, object_id, owner_id, details)
    VALUES (
        'sign_in.succeeded', CAST(current_setting('genai.actor') AS jsonb) ->> 'via', NEW.user_id,
        NEW.address, NEW.id, NEW.user_id, jsonb_build_object('method', NEW.method)
    );
    RETURN NULL;
END
$$;

DO $$
BEGIN
    REVOKE ALL ON FUNCTION note_sign_in FROM PUBLIC;
    EXECUTE format(
        'ALTER FUNCTION note_sign_in SET search_path = %I, pg_temp', current_schema()
    );
END
$$;

CREATE OR REPLACE TRIGGER sign_ins_audited_begun AFTER INSERT ON sign_ins
    FOR EACH ROW WHEN (coalesce(current_setting('genai.actor', true), '') = '')
    EXECUTE FUNCTION note_audit('sign_in.succeeded', 'id', 'user_id', 'method');
CREATE OR REPLACE TRIGGER sign_ins_audited_told AFTER INSERT ON sign_ins
    FOR EACH ROW WHEN (coalesce(current_setting('genai.actor', true), '') <> '')
    EXECUTE FUNCTION note_sign_in();
