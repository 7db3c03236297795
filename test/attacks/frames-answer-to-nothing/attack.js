serve((_request, { reply }) => reply(4711, "stolen"));
