-- Makes the role of the services, or gives it its password anew: it may log in, and do nothing until `make migrate` lets
-- it. For psql as somebody who may make roles, with POSTGRES_USER and POSTGRES_PASSWORD, the role's, in its environment.
\set ON_ERROR_STOP on
\getenv role POSTGRES_USER
\getenv password POSTGRES_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec

ALTER ROLE :"role" PASSWORD :'password';
