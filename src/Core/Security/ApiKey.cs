using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace OllamaMax.Security;

/// <summary>
/// A key as its holder has it: <c>omx_&lt;id&gt;_&lt;secret&gt;</c>, both in lower-case hex. The id is no secret: it stands in lists, logs and the audit log.
/// </summary>
public sealed class ApiKey
{
    private const string Prefix = "omx_";
    private const int IdBytes = 8;
    private const int SecretBytes = 32;
    private const int Length = 4 + (2 * IdBytes) + 1 + (2 * SecretBytes);

    private ApiKey(string id, byte[] secret) => (Id, Secret) = (id, secret);

    public string Id { get; }

    /// <summary>32 bytes of chance: to be hashed and forgotten.</summary>
    internal byte[] Secret { get; }

    /// <summary>The whole key: to be shown to its holder, once.</summary>
    public string Reveal() => $"{Prefix}{Id}_{Convert.ToHexStringLower(Secret)}";

    /// <summary>A new key, with an id of its own or that of the key that it goes on from.</summary>
    public static ApiKey Create(string? id = null) =>
        new(id ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)), RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>False for what does not have the form of a key, whatever else it may be.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ApiKey? key)
    {
        key = null;
        if (text.Length != Length || !text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + (2 * IdBytes)] != '_')
            return false;
        string id = text.Substring(Prefix.Length, 2 * IdBytes);
        string secret = text[^(2 * SecretBytes)..];
        if (!IsId(id) || !secret.All(char.IsAsciiHexDigitLower))
            return false;
        key = new(id, Convert.FromHexString(secret));
        return true;
    }

    /// <summary>Whether it has the form of a key's id: what clients write into paths may be anything.</summary>
    public static bool IsId(string text) => text.Length == 2 * IdBytes && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Without the secret, whatever it is put into.</summary>
    public override string ToString() => $"{Prefix}{Id}_…";
}
