// A certified provider of OpenID Connect. Its configuration is JSON, the first argument:
// {port, clients, audience}. Whoever says a name is signed in as that; a name tells what is said
// of its owner: `admin-…` is in the group `admins`, the mail of `unverified-…` is not verified.
import { Provider } from "oidc-provider";

const { port, clients, audience } = JSON.parse(process.argv[2]);
console.warn = console.info = () => {}; // that it is for development

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  scopes: ["openid", "profile", "email", "groups"],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  features: {
    backchannelLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: "api",
        audience: resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
      }),
    },
  },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      name: `${sub} of npm`,
      preferred_username: sub,
      email: `${sub}@example.com`,
      email_verified: !sub.startsWith("unverified"),
      groups: sub.startsWith("admin") ? ["admins", "people"] : ["people"],
    }),
  }),
  // By itself it visits no address of this machine, where the client is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  // Nobody is asked what the client may know.
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile email groups");
    grant.addResourceScope(audience, "api");
    await grant.save();
    return grant;
  },
});
provider.on("server_error", (_ctx, error) => console.log("server_error", error));
provider.on("backchannel.error", (_ctx, error) => console.log("backchannel.error", error));
provider.listen(port, "127.0.0.1", () => console.log("listening"));
