using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// What one host is shown so that it hands out models that not everybody gets: a token, or a user with a password. From the configuration section
/// <c>OllamaMax:Pull:Sources:…</c>; the secrets are for a secret store (Key Vault) to fill in.
/// </summary>
public sealed class SourceCredential
{
    /// <summary>
    /// <c>host</c> or <c>host:port</c>, as it stands in the addresses that are asked. It is shown to no other, and over https alone but for this machine itself. The two
    /// hosts of Hugging Face are one.
    /// </summary>
    public string Host { get; set; } = "";

    /// <summary>Shown as it is, with each request (<c>Authorization: Bearer</c>).</summary>
    public string? Token { get; set; }

    /// <summary>With <see cref="Password"/>, in the place of a token: shown where a challenge asks for it, by the host or by <see cref="TokenHost"/>.</summary>
    public string? User { get; set; }

    public string? Password { get; set; }

    /// <summary><c>host</c> or <c>host:port</c> that gives tokens for the host to whom it knows, as a registry's challenge names it; null: the host itself alone.</summary>
    public string? TokenHost { get; set; }

    internal AuthenticationHeaderValue? Bearer => Trimmed(Token) is { } token ? new("Bearer", token) : null;

    internal AuthenticationHeaderValue? Basic => Bearer is null && Trimmed(User) is { } user
        ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Trimmed(Password)}")))
        : null;

    /// <summary>Whether it may be shown there.</summary>
    internal bool IsFor(Uri address) => IsSafe(address) && IsOf(address);

    /// <summary>Whether the address is the host's, however it is asked.</summary>
    internal bool IsOf(Uri address) => IsAt(Host, address) || (HuggingFace.Has(Host) && HuggingFace.Has(address.Authority));

    /// <summary>Whether a token may be asked for there with it: who is let name any address would be sent the password.</summary>
    internal bool GetsTokensAt(Uri realm) => IsSafe(realm) && (IsOf(realm) || IsAt(TokenHost, realm));

    /// <summary>Whether a text tells what is secret.</summary>
    internal bool IsIn(string text) => new[] { Trimmed(Token), Trimmed(Password), Basic?.Parameter }.Any(secret => secret is not null && text.Contains(secret, StringComparison.Ordinal));

    internal IEnumerable<ValidationResult> Validate(string section)
    {
        if (Parse(Host) is null)
            yield return Error("Host is not host or host:port");
        if (!string.IsNullOrWhiteSpace(TokenHost) && Parse(TokenHost) is null)
            yield return Error("TokenHost is not host or host:port");
        bool hasUser = Trimmed(User) is not null && Trimmed(Password) is not null;
        if (hasUser == Trimmed(Token) is not null || (Trimmed(User) is null) != (Trimmed(Password) is null))
            yield return Error("needs Token, or User and Password");
        // What a header cannot hold would be told by the error of whoever writes it.
        if (Trimmed(Token)?.Any(c => c is <= ' ' or > '~') == true)
            yield return Error("Token has characters that a token cannot have");
        if (Trimmed(User)?.Any(c => char.IsControl(c) || c == ':') == true || Trimmed(Password)?.Any(char.IsControl) == true)
            yield return Error("User or Password has characters that it cannot have");
        ValidationResult Error(string what) => new($"{section}: '{Host}': {what}");
    }

    private static bool IsAt(string? host, Uri address) => Parse(host) is { } known && known.IdnHost == address.IdnHost
        && (known.Port == address.Port || (known.IsDefaultPort && address.IsDefaultPort));

    private static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.IsLoopback;

    private static Uri? Parse(string? host) =>
        Trimmed(host) is { } text && text.AsSpan().IndexOfAny("/?#@\\") < 0 && Uri.TryCreate($"https://{text}/", UriKind.Absolute, out Uri? address) ? address : null;

    /// <summary>Files that secrets are kept in end with a line break.</summary>
    private static string? Trimmed(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
