/** The address of a GGUF, or of a page that shows one, where that is what is written; a name may begin with https:// as well, and has two parts behind its host. */
export function fileAddress(written: string): string | undefined {
  const address = /^(hf\.co|huggingface\.co)\//i.test(written) ? `https://${written}` : written;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const { pathname, searchParams } = new URL(address);
  const isFile = /\/[^/:]+\.gguf$/i.test(pathname) || searchParams.has("show_file_info") || pathname.split("/").filter(Boolean).length > 2;
  return isFile ? address : undefined;
}

/** What a file's model is called where nobody says otherwise. */
export function nameOfFile(address: string): string {
  const { pathname, searchParams } = new URL(address);
  const file = (searchParams.get("show_file_info") ?? decoded(pathname)).split("/").pop() ?? "";
  const stem = file.replace(/\.gguf$/i, "").replace(/-\d{5}-of-\d{5}$/, "");
  return stem.toLowerCase().replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9_]+/, "").slice(0, 80) || "model";
}

/** Addresses that others wrote may be escaped wrongly. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
