using System.Security.Cryptography;

namespace OllamaMax.Security;

/// <summary>
/// What is stored of a key's secret. One round of HMAC-SHA256 is enough: the secret is 256 bits of chance, so that there is no list of likely ones that a
/// slow hash would have to make expensive to try.
/// </summary>
/// <param name="Salt">Its own.</param>
/// <param name="Hash">HMAC-SHA256 of the secret under the salt.</param>
/// <param name="ValidUntil">Null: as long as the key; set when the key is rotated.</param>
public sealed record KeySecret(byte[] Salt, byte[] Hash, DateTimeOffset? ValidUntil)
{
    private const int SaltBytes = 16;

    public static KeySecret Of(ApiKey key)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new(salt, HMACSHA256.HashData(salt, key.Secret), ValidUntil: null);
    }

    /// <summary>Takes the same time wherever the two differ.</summary>
    public bool Matches(ApiKey key)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Salt, key.Secret, hash);
        return CryptographicOperations.FixedTimeEquals(hash, Hash);
    }

    /// <summary>Says nothing of what it is made of.</summary>
    public override string ToString() => "(a secret's hash)";
}
