serve((_request, { receive }) => receive());
