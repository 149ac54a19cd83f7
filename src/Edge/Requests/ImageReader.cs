using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Images in the forms that the APIs have for them. What an image is its first bytes say: what a client says of it is often wrong, and servers look at the bytes as well. Nothing is
/// fetched: a server that fetches what it is told to reaches what its caller cannot.
/// </summary>
internal static class ImageReader
{
    private const string Wanted = "a PNG, JPEG, GIF or WebP image";
    private const string Base64Mark = ";base64";

    /// <summary>Base64; null and an error at the path where it is none, or no image.</summary>
    public static ChatImage? ReadBase64(string base64, FieldErrors errors, string path)
    {
        byte[] data = new byte[(base64.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(base64, data, out int length) || length == 0)
            errors.Add(path, $"must be {Wanted} in base64");
        else if (MediaTypeOf(data.AsSpan(0, length)) is { } type)
            return new ChatImage(type, data.AsMemory(0, length));
        else
            errors.Add(path, $"must be {Wanted}");
        return null;
    }

    /// <summary><c>data:image/png;base64,…</c>; null and an error at the path where it is none.</summary>
    public static ChatImage? ReadUrl(string url, FieldErrors errors, string path)
    {
        int comma = url.IndexOf(',', StringComparison.Ordinal);
        if (url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && comma > 0 && url.AsSpan(0, comma).EndsWith(Base64Mark, StringComparison.OrdinalIgnoreCase))
            return ReadBase64(url[(comma + 1)..], errors, path);
        errors.Add(path, "must be a data: URL (data:image/png;base64,…): this server fetches nothing for its clients, send the image itself");
        return null;
    }

    /// <summary>Null for what is none of the types that all three APIs have.</summary>
    private static string? MediaTypeOf(ReadOnlySpan<byte> data) =>
        data.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "image/png"
        : data.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : data.StartsWith("GIF8"u8) ? "image/gif"
        : data.StartsWith("RIFF"u8) && data.Length >= 12 && data[8..12].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
