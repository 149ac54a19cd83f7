using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OllamaMax.Edge.Console;

/// <summary>One of the console's files, as it is and as the build has compressed it.</summary>
/// <param name="ContentType">With its charset.</param>
/// <param name="Plain">Its bytes.</param>
/// <param name="Brotli">The same by br; null: the build made none.</param>
/// <param name="Gzip">The same by gzip; null: the build made none.</param>
internal sealed record ConsoleFile(string ContentType, byte[] Plain, byte[]? Brotli, byte[]? Gzip)
{
    private readonly string _hash = Convert.ToHexStringLower(SHA256.HashData(Plain))[..16];

    /// <summary>The smallest form that the client takes, with a tag of its own; 304 where the client has it.</summary>
    /// <param name="isForEver">Its name changes with its content.</param>
    public async Task WriteAsync(HttpContext context, bool isForEver)
    {
        (byte[] bytes, string? encoding) = Choose(context.Request.Headers.AcceptEncoding.ToString());
        string tag = $"\"{_hash}{(encoding is null ? "" : $"-{encoding}")}\"";
        IHeaderDictionary headers = context.Response.Headers;
        headers.ETag = tag;
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.CacheControl = isForEver ? "public, max-age=31536000, immutable" : "no-cache";
        if (context.Request.Headers.IfNoneMatch.Any(sent => sent!.Contains(tag, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        if (encoding is not null)
            headers.ContentEncoding = encoding;
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private (byte[] Bytes, string? Encoding) Choose(string accepted) =>
        Brotli is not null && Accepts(accepted, "br") ? (Brotli, "br")
        : Gzip is not null && Accepts(accepted, "gzip") ? (Gzip, "gzip")
        : (Plain, null);

    /// <summary>As RFC 9110, 12.5.3, says it; who weighs one against the other gets the smaller one all the same.</summary>
    private static bool Accepts(string accepted, string encoding) =>
        StringWithQualityHeaderValue.TryParseList(accepted.Split(','), out IList<StringWithQualityHeaderValue>? values)
        && values.Any(value => value.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && value.Quality is null or > 0);
}
