/**
 * Who may do what: a row for each route of /openapi.json, with the statuses for the owner of the thing, a teammate, a stranger, for
 * requests with a shared token, an expired token and none where the token of a user should be, and for an admin of another team. In rows of
 * links the thing is a token in the path: public for `shared`, expired for `expired`, and else of the team.
 *
 * `thing` names what is made for each cell in the name of the owner (matrix.mjs), `{…}` in paths, queries and bodies stand for its fields.
 */

/** Everybody may, for themselves. */
const SELF = [200, 200, 200, 401, 401, 401, 200];
/** The owner's alone: others are told that there is none. */
const OWN = [200, 404, 404, 401, 401, 401, 404];
/** The team may see it, and do this. */
const TEAM = [200, 200, 404, 401, 401, 401, 404];
/** The same for UDFs, which admins may read. */
const READS = [200, 200, 404, 401, 401, 401, 200];
/** The team may see it, and not do this. */
const TEAM_SEES = [200, 403, 404, 401, 401, 401, 404];
/** The same for UDFs, which admins may read, and not change. */
const READS_ONLY = [200, 403, 404, 401, 401, 401, 403];
/** For admins. */
const ADMIN = [403, 403, 403, 401, 401, 401, 200];
/** Anybody at all. */
const OPEN = [200, 200, 200, 200, 200, 200, 200];
/** A link for the team; a public one; one that has expired. */
const LINK = [200, 200, 403, 200, 404, 403, 403];

const V1 = "/server/v1";
const RT = `${V1}/realtime/{client}/api/v1`;
const BY_SLUG = "by-collection/{collection}/by-slug/{slug}";
const UDF = '{"name":"m","code":"export default () => 1;","metadata":{"fuselet:language":"typescript"}}';
const SAVE = { slug: "{fresh}", udf_body: UDF, udf_type: "auto" };
const RUN = { step_config: `{"type":"udf","udf":${UDF}}` };
const JOB = { config: { name: "m", steps: [{ type: "udf", udf: JSON.parse(UDF) }] } };
const SCHEDULE = {
  ...{ name: "m", description: null, enabled: false, udf: "{udf}", udf_args: null },
  ...{ minute: [1], hour: [1], day_of_month: [1], month: [1], day_of_week: [1] },
};
const FILE = "path=fd%3A%2F%2F{file}";
const with202 = (statuses) => statuses.map((status) => (status === 200 ? [200, 202] : status));

/** @type {Record<string, { statuses: (number | number[])[], thing?: string, query?: string, body?: unknown, raw?: string }>} */
export const TABLE = {
  "GET /healthz": { statuses: OPEN },
  [`GET ${V1}/health`]: { statuses: OPEN },

  // Users
  [`GET ${V1}/user/self`]: { statuses: SELF },
  [`GET ${V1}/execution-env/self`]: { statuses: SELF },
  [`GET ${V1}/execution-env/token`]: { statuses: SELF },
  [`GET ${V1}/realtime-instance`]: { statuses: SELF },
  [`GET ${V1}/realtime-instance/available`]: { statuses: SELF },
  [`POST ${V1}/user/new`]: { statuses: ADMIN, body: { email: "{fresh}@example.org" } },
  [`GET ${V1}/user/all`]: { statuses: ADMIN },
  [`GET ${V1}/user/by-id/{id}`]: { statuses: ADMIN, thing: "user" },
  [`POST ${V1}/user/by-id/{id}`]: { statuses: ADMIN, thing: "user", body: { name: "another" } },
  [`POST ${V1}/user/by-id/{id}/tokens`]: { statuses: ADMIN, thing: "user", body: { name: "another" } },
  [`DELETE ${V1}/user/by-id/{id}`]: { statuses: ADMIN, thing: "user" },
  [`GET ${V1}/user/self/tokens`]: { statuses: SELF },
  [`POST ${V1}/user/self/tokens`]: { statuses: SELF, body: { name: "another", expires_in: 60 } },
  [`DELETE ${V1}/user/self/tokens/{id}`]: { statuses: OWN, thing: "token" },

  // Saved UDFs. What the team may not read is in the row's name, where one has a name.
  [`POST ${V1}/udf/new`]: { statuses: SELF, body: SAVE },
  [`POST ${V1}/udf/by-id/{id}`]: { statuses: READS_ONLY, thing: "udf", body: SAVE },
  [`DELETE ${V1}/udf/by-id/{id}`]: { statuses: READS_ONLY, thing: "udf" },
  [`GET ${V1}/udf/by-id/{id}`]: { statuses: READS, thing: "udf" },
  [`GET ${V1}/udf/by-id/{id}/versions`]: { statuses: READS, thing: "udf" },
  [`GET ${V1}/udf/by-id/{id}/versions/{version}`]: { statuses: READS, thing: "udf" },
  [`GET ${V1}/udf/exec-env/self/${BY_SLUG}`]: { statuses: TEAM, thing: "udf" },
  [`GET ${V1}/udf/by-user-email/{owner}/${BY_SLUG}`]: { statuses: READS, thing: "udfByEmail" },
  [`GET ${V1}/udf/by-user-handle/{owner}/${BY_SLUG}`]: { statuses: READS, thing: "udf" },
  [`GET ${V1}/udf/public/${BY_SLUG}`]: { statuses: SELF, thing: "publicUdf" },
  [`GET ${V1}/udf/self`]: { statuses: SELF },
  [`GET ${V1}/udf/exec-env/self`]: { statuses: SELF },
  [`GET ${V1}/udf/public`]: { statuses: SELF },
  [`GET ${V1}/code-proxy/by-url`]: {
    statuses: [403, 403, 403, 401, 401, 401, 403],
    query: "url=https%3A%2F%2Fgithub.com%2Fa%2Fb",
  },
  [`DELETE ${V1}/realtime-shared/{client}/udf-cache/by-id/{id}/delete`]: {
    statuses: READS_ONLY,
    thing: "udf",
  },
  [`POST ${V1}/realtime/{client}/udf-cache/by-id/{id}/delete`]: { statuses: READS_ONLY, thing: "udf" },
  [`POST ${V1}/udf-cache/by-id/{id}/delete`]: { statuses: READS_ONLY, thing: "udf" },

  // Collections
  [`GET ${V1}/collection/by-name/{name}`]: { statuses: OWN, thing: "collection" },
  [`GET ${V1}/collection/exec-env/by-slug/{name}`]: {
    statuses: [404, 200, 404, 401, 401, 401, 404],
    thing: "collection",
  },
  [`GET ${V1}/collection/by-id/{id}`]: { statuses: TEAM, thing: "collection" },
  [`POST ${V1}/collection/by-id/{id}`]: {
    statuses: TEAM_SEES,
    thing: "collection",
    body: { preview_image_url: "x" },
  },
  [`DELETE ${V1}/collection/by-id/{id}`]: { statuses: TEAM_SEES, thing: "collection" },
  [`GET ${V1}/collection/self`]: { statuses: SELF },
  [`GET ${V1}/collection/self/lite`]: { statuses: SELF },
  [`GET ${V1}/collection/exec-env`]: { statuses: SELF },
  [`GET ${V1}/collection/exec-env/lite`]: { statuses: SELF },
  [`POST ${V1}/collection/new`]: { statuses: SELF, body: { name: "{fresh}" } },
  [`POST ${V1}/collection/share`]: { statuses: TEAM_SEES, thing: "collection", query: "collection_id={id}" },
  [`POST ${V1}/collection/unshare`]: {
    statuses: TEAM_SEES,
    thing: "collection",
    query: "collection_id={id}",
  },

  // Shared tokens. `shared`, `expired` and none are what a user's token would be: the one in the path is right.
  [`POST ${V1}/udf-access-token/new`]: { statuses: READS_ONLY, thing: "udf", body: { udf_id: "{id}" } },
  [`GET ${V1}/udf-access-token/self`]: { statuses: SELF },
  [`GET ${V1}/udf-access-token/by-token/{token}`]: {
    statuses: [200, 404, 403, 401, 401, 403, 403],
    thing: "link",
  },
  [`POST ${V1}/udf-access-token/by-token/{token}`]: {
    statuses: OWN,
    thing: "link",
    body: { enabled: false },
  },
  [`DELETE ${V1}/udf-access-token/by-token/{token}`]: { statuses: OWN, thing: "link" },
  [`POST ${V1}/udf-access-token/by-token/{token}/rotate`]: { statuses: OWN, thing: "link" },
  [`GET ${V1}/udf/shared/by-token/{token}`]: { statuses: [200, 200, 403, 401, 401, 403, 403], thing: "link" },
  [`GET ${V1}/udf/shared/by-token/{token}/{slug}`]: {
    statuses: [200, 200, 403, 401, 401, 403, 403],
    thing: "canvas",
  },
  [`POST ${V1}/session-token/by-access-token/{token}`]: {
    statuses: TEAM,
    thing: "canvas",
    body: { ttl: 60 },
  },

  // Logs of runs
  [`GET ${V1}/log/self`]: { statuses: SELF },
  [`GET ${V1}/log/exec-env/self`]: { statuses: SELF },
  [`GET ${V1}/log/by-id/{value}`]: { statuses: SELF, thing: "value" },
  [`GET ${V1}/log/by-udf-id/{value}`]: { statuses: SELF, thing: "value" },
  [`GET ${V1}/log/by-udf-name/{value}`]: { statuses: SELF, thing: "value" },
  [`GET ${V1}/log/by-shared-token/{value}`]: { statuses: SELF, thing: "value" },
  [`GET ${V1}/log/distinct-udf-names/self`]: { statuses: SELF },
  [`GET ${V1}/log/distinct-udf-names/exec-env/self`]: { statuses: SELF },
  [`GET ${V1}/log/distinct-udf-id/self`]: { statuses: SELF },
  [`GET ${V1}/log/distinct-udf-id/exec-env/self`]: { statuses: SELF },

  // Schedules and jobs
  [`POST ${V1}/cronjob/create`]: { statuses: READS_ONLY, thing: "udf", body: { ...SCHEDULE, udf: "{id}" } },
  [`GET ${V1}/cronjob/get-self`]: { statuses: SELF },
  [`GET ${V1}/cronjob/by-udf-id/{id}`]: { statuses: SELF, thing: "udf" },
  [`GET ${V1}/cronjob/by-id/{id}`]: { statuses: TEAM, thing: "schedule" },
  [`POST ${V1}/cronjob/by-id/{id}`]: { statuses: TEAM_SEES, thing: "schedule", body: SCHEDULE },
  [`PUT ${V1}/cronjob/by-id/{id}`]: { statuses: TEAM_SEES, thing: "schedule", body: SCHEDULE },
  [`DELETE ${V1}/cronjob/by-id/{id}`]: { statuses: TEAM_SEES, thing: "schedule" },
  [`POST ${V1}/cronjob/user-run/by-id/{id}`]: { statuses: TEAM_SEES, thing: "schedule" },
  [`GET ${V1}/cronjob/by-id/{id}/history`]: { statuses: TEAM, thing: "schedule" },
  [`POST ${V1}/run`]: { statuses: SELF, body: JOB },
  [`GET ${V1}/run/by-id/{id}`]: { statuses: OWN, thing: "job" },
  [`POST ${V1}/run/by-id/{id}/cancel`]: { statuses: OWN, thing: "job" },
  [`GET ${V1}/run/by-id/{id}/results`]: { statuses: OWN, thing: "job" },
  [`GET ${V1}/job/self`]: { statuses: SELF },
  [`GET ${V1}/job/by-id/{id}/config`]: { statuses: [307, 404, 404, 401, 401, 401, 404], thing: "job" },
  [`GET ${V1}/logs/{id}`]: { statuses: OWN, thing: "job" },
  [`GET ${V1}/logs/{id}/stream`]: { statuses: OWN, thing: "job" },

  // Runs
  [`POST ${RT}/run/udf/start`]: { statuses: with202(SELF), body: RUN },
  [`POST ${RT}/run/udf`]: { statuses: SELF, body: RUN },
  [`POST ${RT}/run/udf/start/tiles/{z}/{x}/{y}`]: { statuses: with202(SELF), thing: "tile", body: RUN },
  [`POST ${RT}/run/udf/tiles/{z}/{x}/{y}`]: { statuses: SELF, thing: "tile", body: RUN },
  [`GET ${RT}/run/udf/saved/{owner}/{slug}`]: { statuses: READS, thing: "udf" },
  [`GET ${RT}/run/udf/saved/{owner}/{slug}/tiles/{z}/{x}/{y}`]: { statuses: READS, thing: "udf" },
  [`GET ${RT}/run/udf/get/{run_id}`]: {
    statuses: [[200, 202, 422], 404, 404, 401, 401, 401, 404],
    thing: "run",
  },
  [`DELETE ${RT}/run/udf/get/{run_id}`]: { statuses: [204, 404, 404, 401, 401, 401, 404], thing: "run" },
  [`GET ${RT}/run/udf/get/{run_id}/logs`]: { statuses: OWN, thing: "run" },
  [`POST ${V1}/efs/{client}/udf-logs`]: { statuses: OWN, thing: "run", body: { log_dir: "{run_id}" } },

  // Files: `fd://` is each user's own, the disk is the team's.
  [`GET ${V1}/files/list`]: { statuses: SELF, query: "path=fd%3A%2F%2F" },
  [`GET ${V1}/files/list-details`]: { statuses: SELF, query: "path=fd%3A%2F%2F" },
  [`GET ${V1}/files/get`]: { statuses: OWN, thing: "file", query: FILE },
  [`GET ${V1}/files/sign`]: { statuses: SELF, thing: "file", query: FILE },
  [`GET ${V1}/files/sign_prefix`]: { statuses: SELF, query: "path=fd%3A%2F%2Fnone%2F" },
  [`DELETE ${V1}/files/delete`]: { statuses: SELF, thing: "file", query: FILE },
  [`POST ${V1}/files/resolve`]: { statuses: SELF, query: "path=fd%3A%2F%2Fa" },
  [`PUT ${V1}/files/upload`]: { statuses: SELF, query: "path=fd%3A%2F%2F{fresh}", raw: "text" },
  [`POST ${V1}/files/upload-temp`]: { statuses: SELF, query: "extension=txt", raw: "text" },
  [`GET ${V1}/files/sign-upload`]: { statuses: SELF, query: "path=fd%3A%2F%2Fa&content_length=1" },
  [`GET ${V1}/files/sign-upload-temp`]: { statuses: SELF, query: "extension=txt&content_length=1" },
  [`POST ${V1}/efs/{client}/list`]: { statuses: SELF, body: { item: "/" } },
  [`GET ${V1}/efs/{client}/download`]: { statuses: TEAM, thing: "mountFile", query: "file_name={file}" },
  [`POST ${V1}/efs/{client}/upload`]: { statuses: SELF, thing: "form" },
  [`DELETE ${V1}/efs/{client}/delete-file`]: { statuses: TEAM, thing: "mountFile", body: { item: "{file}" } },
  [`DELETE ${V1}/efs/{client}/delete-dir`]: {
    statuses: SELF,
    thing: "mountFolder",
    body: { item: "{folder}" },
  },

  // Secrets
  [`GET ${RT}/secrets`]: { statuses: SELF },
  [`GET ${V1}/secrets/self/user`]: { statuses: SELF },
  [`GET ${RT}/secrets/{key}`]: { statuses: OWN, thing: "secret" },
  [`POST ${RT}/secrets/{key}`]: { statuses: SELF, thing: "value", body: { value: "v" } },
  [`PUT ${RT}/secrets/{key}`]: { statuses: SELF, thing: "value", body: { value: "v" } },
  [`DELETE ${RT}/secrets/{key}`]: { statuses: OWN, thing: "secret" },
  [`GET ${V1}/secrets/self/user/{key}`]: { statuses: OWN, thing: "secret" },
  [`POST ${V1}/secrets/self/user/{key}`]: { statuses: SELF, thing: "value", body: { value: "v" } },
  [`PUT ${V1}/secrets/self/user/{key}`]: { statuses: SELF, thing: "value", body: { value: "v" } },
  [`DELETE ${V1}/secrets/self/user/{key}`]: { statuses: OWN, thing: "secret" },

  // Datasets
  [`POST ${V1}/datasets/register-from-url`]: {
    statuses: SELF,
    thing: "file",
    query: "url=fd%3A%2F%2F{folder}",
  },
  [`GET ${V1}/datasets/find-by-location`]: {
    statuses: OWN,
    thing: "dataset",
    query: "location=fd%3A%2F%2F{folder}",
  },
  [`GET ${V1}/datasets/self`]: { statuses: SELF },
  [`GET ${V1}/datasets/by-id/{id}`]: { statuses: OWN, thing: "dataset" },
  [`DELETE ${V1}/datasets/by-id/{id}`]: { statuses: OWN, thing: "dataset" },

  // Links
  ...Object.fromEntries(
    ["GET", "POST"].flatMap((method) =>
      ["", "/{slug}"].flatMap((slug) =>
        ["", "/{file}", "/tiles/{z}/{x}/{y}"].map((rest) => [
          `${method} /{token}${slug}/run${rest}`,
          { statuses: LINK, thing: slug ? "canvas" : "link" },
        ]),
      ),
    ),
  ),
};

/** Columns of the table. */
export const COLUMNS = ["owner", "teammate", "stranger", "shared", "expired", "none", "admin"];
