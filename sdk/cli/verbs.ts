/** The table of verbs and options. Parsing, validation, suggestions and `--help` all read it. */
import { PERMISSION_NAMES, type PermissionName, takesList } from "../../host/permissions/descriptor.ts";

/** An option. Without `value` it is a switch. */
export interface OptionSpec {
  name: string;
  short?: string;
  /** The placeholder of its value in help: `FILE`. */
  value?: string;
  /** The value may be left out; then it is given with `=` only. */
  optional?: boolean;
  repeatable?: boolean;
  choices?: readonly string[];
  help: string;
  group?: string;
}

export interface VerbSpec {
  name: string;
  usage: string;
  summary: string;
  description: string;
  options: readonly OptionSpec[];
  examples: readonly string[];
}

/** What `fuselet cache` lists: results of functions and runs, downloaded files, started interpreters, fetched packages. */
export const KEPT_KINDS = ["results", "downloads", "snapshots", "packages"] as const;
export type KeptKind = (typeof KEPT_KINDS)[number];

/** What `--format` takes, in the order of the help. */
export const FORMATS = [
  "json",
  "csv",
  "geojson",
  "parquet",
  "arrow",
  "html",
  "png",
  "tiff",
  "npy",
  "text",
  "zip",
  "mvt",
] as const;

const PERMISSION_HELP: Record<PermissionName, [value: string, what: string]> = {
  net: ["HOST,…", "reach hosts: example.org, example.org:443, *.example.org, 10.0.0.0/8"],
  read: ["PATH,…", "read below storage paths: s3://bucket/prefix, /data"],
  write: ["PATH,…", "write below storage paths"],
  secrets: ["NAME,…", "use secrets: NAME, NAME@HOST (sent to that host only), NAME:reveal (the UDF sees it)"],
  cache: ["", "store results in the cache"],
  run: ["UDF,…", "run other UDFs"],
  remote: ["TYPE,…", "run on instances of these types"],
  import: ["PACKAGE,…", "fetch packages: NAME for Python, npm:NAME for TypeScript"],
  native: ["", "run outside the sandbox, in this machine's own Python"],
};

const PERMISSIONS = "Permissions (without a list: all; deny beats allow; nothing is allowed by default)";

function permissionOption(verb: "allow" | "deny", name: PermissionName): OptionSpec {
  const [value, what] = PERMISSION_HELP[name];
  return {
    name: `${verb}-${name}`,
    ...(takesList(name) ? { value, optional: true } : {}),
    repeatable: true,
    help: verb === "allow" ? what : `refuse it even where it is allowed`,
    group: PERMISSIONS,
  };
}

const PERMISSION_OPTIONS: readonly OptionSpec[] = [
  ...PERMISSION_NAMES.flatMap((name) => [permissionOption("allow", name), permissionOption("deny", name)]),
  { name: "allow-all", help: "allow everything but native, remote and revealed secrets", group: PERMISSIONS },
  {
    name: "permission-set",
    short: "P",
    value: "NAME",
    optional: true,
    repeatable: true,
    help: 'allow and deny what this set of the configuration file does (default: the set "default")',
    group: PERMISSIONS,
  },
  {
    name: "config",
    value: "FILE",
    help: "the configuration file (default with -P: the nearest fuselet.json or fuselet.toml; else none)",
    group: PERMISSIONS,
  },
  {
    name: "no-prompt",
    help: "never ask: refuse what was not allowed (without a terminal, nobody is ever asked)",
    group: PERMISSIONS,
  },
  {
    name: "audit-log",
    value: "FILE",
    help: "append each decision to this file as a line of JSON, before it takes effect",
    group: PERMISSIONS,
  },
];

const EVERYWHERE: readonly OptionSpec[] = [
  { name: "json-errors", help: "write an error as one JSON line to standard error" },
  { name: "help", short: "h", help: "show this help" },
];

const COMMON: readonly OptionSpec[] = [
  {
    name: "pyodide",
    value: "DIR",
    help: "the Pyodide distribution to use (default: FUSELET_PYODIDE, else the built-in core)",
  },
  {
    name: "wheels",
    value: "DIR",
    help: "a folder of wheels to use beside the distribution's (default: FUSELET_WHEELS, else none)",
  },
  ...EVERYWHERE,
];

const DATA_OPTION: OptionSpec = {
  name: "data",
  value: "DIR",
  help: "the folder of fuselet serve (default: server, in the user's data folder)",
};

const URL_OPTION: OptionSpec = {
  name: "url",
  value: "URL",
  help: "the server (default: FUSELET_URL, else the one that was signed in to last)",
};

const INSTANCE_OPTION: OptionSpec = {
  name: "instance-type",
  value: "TYPE",
  help: "where on the server: realtime runs it at once (default), others such as m5.large as a batch job",
};

const FORMAT_OPTION: OptionSpec = {
  name: "format",
  short: "f",
  value: "FORMAT",
  choices: FORMATS,
  help: `write the result as ${FORMATS.join(", ")} (default: by the name of -o, else json)`,
};

const OUTPUT_OPTION: OptionSpec = {
  name: "output",
  short: "o",
  value: "FILE",
  help: "write the result to a file, whole or not at all",
};

/** Where packages are fetched from, by those verbs that may fetch some. */
const INDEX_OPTIONS: readonly OptionSpec[] = [
  {
    name: "index",
    value: "URL",
    help: "the index that Python packages are fetched from (default: FUSELET_INDEX; without either, none are)",
  },
  {
    name: "npm-registry",
    value: "URL",
    help: "the registry that npm packages are fetched from (default: FUSELET_NPM_REGISTRY; without either, none are)",
  },
];

/** What `lock` is granted: nothing but packages. */
const LOCK_PERMISSIONS = new Set([
  "allow-import",
  "deny-import",
  "allow-all",
  "permission-set",
  "config",
  "audit-log",
]);

export const VERBS: readonly VerbSpec[] = [
  {
    name: "run",
    usage: "fuselet run [options] UDF [name=value …]",
    summary: "Run a UDF and write its result to standard output",
    description:
      "UDF is a file, a folder, a zip archive, - for standard input, or a URL, whose host --allow-net grants. The UDF's own output goes to standard error.\nWith --engine remote a server runs it, and decides what it may do; UDF is then also the name of one that is saved there, or a shared token.\nExit status: 0; 1 the UDF raised; 2 bad usage or input; 3 permission denied; 124 time limit; 125 another limit.",
    options: [
      FORMAT_OPTION,
      OUTPUT_OPTION,
      { name: "tile", value: "Z/X/Y", help: "run for a map tile" },
      {
        name: "engine",
        value: "WHERE",
        choices: ["local", "remote"],
        help: "where to run: local (default), or remote: on a server (fuselet login)",
      },
      INSTANCE_OPTION,
      URL_OPTION,
      {
        name: "time-limit",
        value: "TIME",
        help: "end the run after this time: 500ms, 2s, 1m (default: 120s)",
      },
      {
        name: "memory-limit",
        value: "SIZE",
        help: "end the run above this memory: 512MB, 1GB (default: 2GB)",
      },
      {
        name: "cache-max-age",
        value: "AGE",
        help: "take the result of an earlier run of the same up to this age: 30s, 10m, 1h, 7d (default: 0, always run)",
      },
      { name: "verbose", short: "v", help: "write how long each step took to standard error" },
      ...PERMISSION_OPTIONS,
      ...INDEX_OPTIONS,
      ...COMMON,
    ],
    examples: [
      "fuselet run hello.py name=World",
      "fuselet run quakes.py --format csv -o quakes.csv min_magnitude=5",
      "fuselet run tiles.ts --tile 3/4/2 --format png -o tile.png",
      "fuselet run weather.py --allow-net=api.example.org --time-limit 10s",
      "fuselet run weather.py -P=read-data --audit-log decisions.jsonl",
      "fuselet run heavy.py --engine remote --instance-type m5.large",
    ],
  },
  {
    name: "inspect",
    usage: "fuselet inspect [options] UDF",
    summary: "Show a UDF's parameters, permissions and packages without running it",
    description:
      "UDF is a file, a folder, a zip archive, - for standard input, or a URL, whose host --allow-net grants.",
    options: [
      { name: "json", help: "write JSON" },
      permissionOption("allow", "net"),
      permissionOption("deny", "net"),
      ...COMMON,
    ],
    examples: ["fuselet inspect quakes.py", "fuselet inspect quakes.py --json"],
  },
  {
    name: "lock",
    usage: "fuselet lock [options] UDF",
    summary: "Write down which files a UDF's packages are, and fetch those that are missing",
    description:
      "UDF is a file or a folder. Its requirements (PEP 723) and imports are looked up in the folder of wheels, then in the Pyodide\ndistribution, then in the index. The choice is written to fuselet.lock beside the UDF, each file with its SHA-256; from then on\nfuselet run takes these files and no others. What is fetched is kept in the cache folder, so that runs need no network.",
    options: [
      ...PERMISSION_OPTIONS.filter(({ name }) => LOCK_PERMISSIONS.has(name)),
      ...INDEX_OPTIONS,
      ...COMMON,
    ],
    examples: [
      "fuselet lock report.py --wheels wheels",
      "fuselet lock report.py --allow-import=requests,certifi,charset-normalizer,idna,urllib3",
    ],
  },
  {
    name: "serve",
    usage: "fuselet serve [options]",
    summary: "Serve saved UDFs over HTTP, for the published Fused client, pages and curl",
    description:
      "Speaks the wire of the Fused client under /server/v1, for whoever has a token. The first start makes one and shows it once; only its hash\nis kept. --token is another one, which opens the server while it runs. Everything is in one folder. The permissions are the most\nthat any UDF gets that runs here; nothing is allowed by default. Ctrl-C lets runs under way end first.",
    options: [
      { name: "port", value: "N", help: "the port to listen on; 0 takes a free one (default: 8000)" },
      { name: "host", value: "ADDRESS", help: "the address to listen on (default: 127.0.0.1)" },
      {
        name: "data",
        value: "DIR",
        help: "the folder of UDFs, users, files, secrets and jobs (default: server, in the user's data folder)",
      },
      {
        name: "token",
        value: "TOKEN",
        help: "a token of the first user, of at least 8 characters (default: FUSELET_TOKEN, else the one that the first start made)",
      },
      {
        name: "public-url",
        value: "URL",
        help: "how clients reach the server, where that is not its address: behind a proxy",
      },
      {
        name: "allow-host",
        value: "NAME",
        repeatable: true,
        help: "a host name that requests may be for, beside this machine's own; * is any",
      },
      {
        name: "cors-origin",
        value: "ORIGIN",
        repeatable: true,
        help: "an origin whose pages may use the server; * is any",
      },
      { name: "isolates", value: "N", help: "the most isolates at once (default: 8)" },
      { name: "time-limit", value: "TIME", help: "end a run after this time (default: 120s)" },
      { name: "job-time-limit", value: "TIME", help: "end a task of a job after this time (default: 1h)" },
      {
        name: "keep-jobs",
        value: "AGE",
        help: "remove jobs with their logs so long after their end, and of each user the oldest beyond 10,000 (default: 30d)",
      },
      { name: "memory-limit", value: "SIZE", help: "end a run above this memory (default: 2GB)" },
      { name: "verbose", short: "v", help: "write each request to standard error, as a line of JSON" },
      ...PERMISSION_OPTIONS.filter(({ name }) => name !== "no-prompt"),
      ...INDEX_OPTIONS,
      ...COMMON,
    ],
    examples: [
      "fuselet serve",
      "fuselet serve --port 8000 --data ./server --allow-cache --allow-net=api.example.org",
      "fuselet serve --host 0.0.0.0 --allow-host udfs.example.org --public-url https://udfs.example.org",
    ],
  },
  {
    name: "cache",
    usage: "fuselet cache [list | clear] [results] [downloads] [snapshots] [packages]",
    summary: "Show or remove what is kept for later runs",
    description:
      "Without a kind: all of them. list is the default. What goes is made or fetched again when it is wanted; a running command keeps what\nit uses, and a download that goes on just now stays. All is in the folder that FUSELET_CACHE names, else in the user's cache folder.",
    options: [{ name: "json", help: "write JSON" }, ...EVERYWHERE],
    examples: ["fuselet cache", "fuselet cache list results --json", "fuselet cache clear downloads"],
  },
  {
    name: "permissions",
    usage: "fuselet permissions [list | remove ID … | schema]",
    summary: "Show or remove what was allowed for good",
    description:
      'An answer "always" is kept for the UDF as it was then: once its code has changed, it asks again.\nlist shows the grants that are kept (the default); remove takes some away; schema writes the JSON schema of fuselet.json.\nThey are in grants.json in the folder that FUSELET_DATA names, else in the user\'s data folder.',
    options: [{ name: "json", help: "list as JSON" }, { name: "all", help: "remove all" }, ...EVERYWHERE],
    examples: [
      "fuselet permissions",
      "fuselet permissions remove 1f0c9a2b",
      "fuselet permissions schema > fuselet.schema.json",
    ],
  },
  {
    name: "secrets",
    usage: "fuselet secrets [list | set NAME | delete NAME]",
    summary: "Set, list or delete secrets for UDFs",
    description:
      "set reads the value from standard input, without its last line break. list shows names (the default); nothing shows values.\nA UDF that was allowed a secret (--allow-secrets=NAME@HOST) gets a text that stands for it; the value takes its place in\nheaders and query values of requests to that host. With :reveal the UDF gets the value itself.\nSecrets are encrypted in the folder that FUSELET_DATA names, else in the user's data folder, under a key in the same place\nor in FUSELET_SECRETS_KEY (32 bytes, hexadecimal or base64).",
    options: [{ name: "json", help: "list as JSON" }, ...EVERYWHERE],
    examples: [
      "fuselet secrets set API_KEY < key.txt",
      "fuselet secrets list",
      "fuselet run weather.py --allow-net=api.example.org --allow-secrets=API_KEY@api.example.org",
    ],
  },
  {
    name: "login",
    usage: "fuselet login [--url URL] [--token -]",
    summary: "Sign in to a server, for runs and jobs there",
    description:
      "Reads the token from standard input; on a terminal it asks for it, and does not show it. The server is asked whose it is; then it is\nkept, for the user alone, in logins.json in the folder that FUSELET_DATA names, else in the user's data folder.\nWithout a login, FUSELET_TOKEN is the token for the server that FUSELET_URL names, and for no other.",
    options: [
      URL_OPTION,
      { name: "token", value: "-", choices: ["-"], help: "read the token from standard input (the default)" },
      { name: "json", help: "write JSON" },
      ...EVERYWHERE,
    ],
    examples: [
      "fuselet login --url http://127.0.0.1:8000",
      "fuselet login --url https://udfs.example.org --token - < token.txt",
    ],
  },
  {
    name: "logout",
    usage: "fuselet logout [--url URL | --all]",
    summary: "Forget the token of a server",
    description: "The token itself stays as it is on the server.",
    options: [
      URL_OPTION,
      { name: "all", help: "forget the tokens of all servers" },
      { name: "json", help: "write JSON" },
      ...EVERYWHERE,
    ],
    examples: ["fuselet logout", "fuselet logout --url https://udfs.example.org"],
  },
  {
    name: "job",
    usage:
      "fuselet job [list | run UDF [name=value …] | status ID | logs ID | cancel ID | results ID] [options]",
    summary: "Start and watch batch jobs on a server",
    description:
      "run starts a UDF as a job and writes the job's id: a file, a folder, a URL, or the name of one that is saved there. list shows the newest\njobs (the default). results writes what the tasks gave, as a list, or one of them. A job goes on when this command ends; with --wait\nCtrl-C cancels it. Exit status: as of fuselet run, where a task failed.",
    options: [
      URL_OPTION,
      { name: "json", help: "write JSON" },
      INSTANCE_OPTION,
      { name: "wait", help: "with run: show the log until the job ends, then write its results" },
      { name: "follow", help: "with logs: go on until the job ends" },
      { name: "limit", value: "N", help: "with list: how many (default: 20)" },
      { name: "index", value: "N", help: "with results: that of one task alone, counted from 0" },
      FORMAT_OPTION,
      OUTPUT_OPTION,
      permissionOption("allow", "net"),
      permissionOption("deny", "net"),
      ...COMMON,
    ],
    examples: [
      "fuselet job run heavy.py year=2025 --instance-type m5.large",
      "fuselet job logs 6487b8c0-6620-483a-ba79-c0a8fb33156c --follow",
      "fuselet job results 6487b8c0-6620-483a-ba79-c0a8fb33156c --index 0 -o table.parquet",
    ],
  },
  {
    name: "user",
    usage:
      "fuselet user [list | add EMAIL | set USER | enable USER | disable USER | token USER | delete USER] [options]",
    summary: "Make, change, disable and delete the users of a server (admins)",
    description:
      "USER is a handle, an email or an id. list shows all (the default). add makes a user and a first token. set changes what is given, and\nleaves the rest; --allow-… and --deny-… together are the most that the user's UDFs may get, in place of what was set before.\ndisable takes effect at once: tokens and links open nothing, runs and jobs are cancelled, schedules begin nothing until enable.\ntoken takes all tokens of the user away and makes a new one. delete deletes tokens, links, secrets, UDFs and schedules as well, and cancels\njobs; files stay in the server's folder, where no user has them any more.",
    options: [
      URL_OPTION,
      { name: "json", help: "write JSON" },
      { name: "handle", value: "NAME", help: "with add: a short name (default: what is before the @)" },
      { name: "name", value: "TEXT", help: "with add, set: the user's name" },
      { name: "team", value: "NAME", help: "with add, set: the team (default: one of its own)" },
      { name: "admin", help: "with add, set: may make and change users" },
      { name: "no-admin", help: "with set: is no admin any more; the last one stays one" },
      { name: "no-bounds", help: "with set: the user's UDFs may get all that the server may give" },
      ...PERMISSION_OPTIONS.filter(({ name }) => name !== "no-prompt" && name !== "audit-log"),
      ...EVERYWHERE,
    ],
    examples: [
      "fuselet user add ada@example.org --team maps --allow-net=api.example.org",
      "fuselet user set ada --allow-net=api.example.org,data.example.org --allow-cache",
      "fuselet user disable ada",
    ],
  },
  {
    name: "backup",
    usage: "fuselet backup [--data DIR] FILE",
    summary: "Copy a server's folder to an archive, while the server runs",
    description:
      "FILE is a new tar archive, which only the user can read: it has the secrets and the key that opens them, unless that is in\nFUSELET_SECRETS_KEY. Databases are copied as they are at one moment, then the files. Caches are left out.",
    options: [DATA_OPTION, { name: "json", help: "write JSON" }, ...EVERYWHERE],
    examples: ["fuselet backup server.tar", "fuselet backup --data ./server backups/monday.tar"],
  },
  {
    name: "restore",
    usage: "fuselet restore FILE [--data DIR]",
    summary: "Make a server's folder of an archive",
    description:
      "FILE is what fuselet backup wrote. The folder must be empty, or not there yet; it is made as a whole or not at all.\nWhile it is restored, no server may run in it.",
    options: [DATA_OPTION, { name: "json", help: "write JSON" }, ...EVERYWHERE],
    examples: ["fuselet restore backups/monday.tar --data ./server"],
  },
  {
    name: "doctor",
    usage: "fuselet doctor [options]",
    summary: "Check whether what fuselet needs is there and works",
    description:
      "Runs a UDF of each language, and looks at Node, esbuild, the folders of caches and data, the server's database, and the secrets with\ntheir key. Exit status: 0 where all is well, else 1.",
    options: [DATA_OPTION, { name: "json", help: "write JSON" }, ...COMMON],
    examples: ["fuselet doctor", "fuselet doctor --data ./server --json"],
  },
];

/** Verbs of the contract that this version has not. */
export const LATER_VERBS = ["worker", "remote"];
