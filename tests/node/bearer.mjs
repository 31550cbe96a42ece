// Has every request of the process show a token: node --import. The conformance suite knows none.
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { Agent, setGlobalDispatcher } from "undici";

const shown = { authorization: `Bearer ${process.env.MCP_TOKEN}` };
const showing = (dispatch) => (options, handler) => {
  const headers = options.headers ?? {};
  const given = Array.isArray(headers) ? [...headers, ...Object.entries(shown).flat()] : { ...headers, ...shown };
  return dispatch({ ...options, headers: given }, handler);
};
setGlobalDispatcher(new Agent().compose(showing));

const request = http.request;
http.request = (...given) => {
  const options = given.find((each) => typeof each === "object" && !(each instanceof URL));
  if (options) options.headers = { ...options.headers, ...shown };
  return request(...given);
};
syncBuiltinESMExports();
