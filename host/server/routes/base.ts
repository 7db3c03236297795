/** Where the wire begins. */
export const BASE = "/server/v1";
/** Where the routes of a realtime client begin; this server is one client. */
export const REALTIME = `${BASE}/realtime/{client}/api/v1`;
/** The one realtime client of this server. */
export const CLIENT_ID = "fuselet";
