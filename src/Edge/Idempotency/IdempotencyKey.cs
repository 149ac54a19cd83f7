using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Idempotency;

/// <summary>What makes two requests the same one: tenant and key; path and body must then be equal too.</summary>
/// <param name="Tenant">Keys of different tenants never meet.</param>
/// <param name="Value">The client's key.</param>
/// <param name="Content">SHA-256 of path and body, in hex.</param>
internal sealed record IdempotencyKey(string Tenant, string Value, string Content)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayHeader = "idempotency-replayed";
    private const int MaxLength = 255;

    /// <summary>Reads the request's key. False, with the error, where there is one that cannot be used.</summary>
    public static bool TryRead(
        HttpContext context, ReadOnlySpan<byte> body, out IdempotencyKey? key, [NotNullWhen(false)] out ApiError? error)
    {
        (key, error) = (null, null);
        if (!context.Request.Headers.TryGetValue(Header, out StringValues given))
            return true;
        string value = given.ToString();
        // An empty one is a variable that was not set: whoever sends it relies on there being one.
        if (value.Length is 0 or > MaxLength || value.Any(c => c is < '!' or > '~'))
        {
            error = ApiError.BadRequest($"{Header} must be 1 to {MaxLength} visible ASCII characters");
            return false;
        }
        if (RequestInfo.Of(context).Principal is { } principal)
            key = new(principal.Tenant, value, Hash(context.Request.Path, body));
        return true;
    }

    /// <summary>The key of one of several jobs of its request. A client's own key cannot be such: it has no space.</summary>
    public IdempotencyKey ForChoice(int choice) => choice == 0 ? this : this with { Value = $"{Value} {choice}" };

    public ApiError ContentDiffers() =>
        new(StatusCodes.Status422UnprocessableEntity, $"{Header} '{Value}' was used before with a different request");

    private static string Hash(PathString path, ReadOnlySpan<byte> body)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(path + "\n"));
        hash.AppendData(body);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
