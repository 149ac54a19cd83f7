using System.Security.Cryptography;
using System.Text;

namespace OllamaMax.Security;

/// <summary>
/// Encrypts the content of one job, response, strategy or file: AES-256-GCM under a key of its own, made by HKDF-SHA256 (RFC 5869) of a <see cref="ContentKey"/>, the kind and the id. So nothing opens in
/// another's place, and who is given one job's seal, as its worker is, has nothing of another's.
/// </summary>
public sealed class ContentSeal
{
    /// <summary>Bytes that sealed content has more than the content.</summary>
    public const int Overhead = SealedBytes.Overhead;

    private readonly byte[] _key;

    private ContentSeal(string keyId, byte[] key) => (KeyId, _key) = (keyId, key);

    /// <summary>Of the content key.</summary>
    public string KeyId { get; }

    /// <summary>What a worker is given of it (<see cref="Given"/>); opens this one's content and nothing else.</summary>
    public ReadOnlySpan<byte> Key => _key;

    internal static ContentSeal Of(ContentKey key, ContentKind kind, string id)
    {
        // Lines, as no id has a line break.
        byte[] info = Encoding.UTF8.GetBytes($"ollamamax content 1\n{kind}\n{id}");
        return new(key.Id, HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, SealedBytes.KeyBytes, salt: null, info));
    }

    /// <summary>Where the content key is not known.</summary>
    /// <param name="keyId">Of the content key.</param>
    /// <param name="key">As <see cref="Key"/> has it.</param>
    public static ContentSeal Given(string keyId, byte[] key) => new(keyId, key);

    /// <param name="place">Which part of the content it is.</param>
    /// <param name="plain">Any bytes.</param>
    public byte[] Seal(string place, ReadOnlySpan<byte> plain) => SealedBytes.Seal(_key, Encoding.UTF8.GetBytes(place), plain);

    /// <summary>Null where it was not sealed as this part of this content, or was changed since.</summary>
    public byte[]? Open(string place, ReadOnlySpan<byte> sealedBytes) => SealedBytes.Open(_key, Encoding.UTF8.GetBytes(place), sealedBytes);
}

/// <summary>Bytes that were sealed, and with what.</summary>
/// <param name="Key">Id of the content key.</param>
public sealed record SealedContent(string Key, byte[] Content);
