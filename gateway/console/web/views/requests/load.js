// What the API says of requests.
import { get } from "../../api.js";

export const STATES = ["queued", "running", "answered", "failed", "timed_out", "cancelled", "interrupted"];

export const isOpen = ({ status }) => status === "queued" || status === "running";

export const loadRequests = (query, signal) => get("/api/requests", query, { signal });
