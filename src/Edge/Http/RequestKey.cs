using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace OllamaMax.Edge.Http;

/// <summary>
/// The key that a request carries, and where clients may put it: the one place that knows. In this order, the first that is there counts:
/// the path (<see cref="KeyInPath"/>, where the host has it), <c>Authorization: Bearer</c> or <c>Basic</c> (the key is the password), <c>x-api-key</c>.
/// Empty ones are none: clients without a key send such.
/// </summary>
internal sealed class RequestKey
{
    public const string Header = "x-api-key";

    private const int MaxLength = 8 << 10;
    private const string Bearer = "Bearer";
    private const string Basic = "Basic";

    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private RequestKey(string value) => Value = value;

    /// <summary>The key itself: never to be logged, measured or answered.</summary>
    public string Value { get; }

    /// <summary>The request's key, null where it has none; or a 401 that says what is wrong with it, and does not repeat it.</summary>
    public static ApiError? Read(HttpContext context, out RequestKey? key)
    {
        key = null;
        string? text;
        string place;
        if (context.Features.Get<KeyInPath>() is { } inPath)
            (text, place) = (inPath.Value, "the key in the path");
        else if (ReadAuthorization(context.Request.Headers.Authorization, out text) is { } error)
            return error;
        else if (text is not null)
            place = "the key in Authorization";
        else
            (text, place) = (One(context.Request.Headers[Header]), $"the key in {Header}");
        if (text is null)
            return Wrong($"{place} is given more than once");
        if (text.Length == 0 && context.Features.Get<KeyInPath>() is null)
            return null;
        if (text.Length is 0 or > MaxLength || text.AsSpan().ContainsAnyExcept(Visible))
            return Wrong($"{place} must be 1 to {MaxLength} visible ASCII characters");
        key = new(text);
        return null;
    }

    /// <summary>Says that there is one, whatever it is put into.</summary>
    public override string ToString() => "(a key)";

    /// <param name="headers">The header's values.</param>
    /// <param name="key">The key; null: there is none in it.</param>
    private static ApiError? ReadAuthorization(StringValues headers, out string? key)
    {
        key = null;
        if (One(headers) is not { } header)
            return Wrong("Authorization is given more than once");
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        string scheme = space < 0 ? header : header[..space];
        string rest = space < 0 ? "" : header[(space + 1)..].Trim();
        if (rest.Length == 0)
            return null;
        if (scheme.Equals(Bearer, StringComparison.OrdinalIgnoreCase))
            key = rest;
        else if (!scheme.Equals(Basic, StringComparison.OrdinalIgnoreCase))
            return Wrong($"Authorization must be {Bearer} or {Basic}");
        else if (Password(rest) is not { } password)
            return Wrong($"Authorization: {Basic} must be name:password in base64, with the key as the password");
        else if (password.Length > 0)
            key = password;
        return null;
    }

    private static string? Password(string base64)
    {
        try
        {
            string text = Utf8.GetString(Convert.FromBase64String(base64));
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : text[(colon + 1)..];
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Empty: none; null: several, of which nobody could say which is meant.</summary>
    private static string? One(StringValues values) => values.Count > 1 ? null : values.ToString().Trim();

    private static ApiError Wrong(string message) => new(StatusCodes.Status401Unauthorized, message);
}
