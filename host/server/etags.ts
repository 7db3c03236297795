/** Whether a header If-None-Match names an ETag: a weak one as well, which is what a proxy makes of it that compresses (RFC 9110, 13.1.2). */
export function namesEtag(ifNoneMatch: string, etag: string): boolean {
  const plain = (one: string) => one.trim().replace(/^W\//, "");
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").map(plain).includes(plain(etag));
}
