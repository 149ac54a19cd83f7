using System.Security.Cryptography;

namespace OllamaMax.Security;

/// <summary>AES-256-GCM, as all that is sealed is: a nonce by chance, the tag, and as many bytes as there were.</summary>
internal static class SealedBytes
{
    public const int KeyBytes = 32;

    /// <summary>Bytes that a sealed text has more than the text.</summary>
    public const int Overhead = NonceBytes + TagBytes;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <param name="key">Of 32 bytes, and not for more than 2^32 texts: nonces are drawn.</param>
    /// <param name="place">What it is and where it belongs: it opens as nothing else.</param>
    /// <param name="plain">Any bytes.</param>
    public static byte[] Seal(byte[] key, ReadOnlySpan<byte> place, ReadOnlySpan<byte> plain)
    {
        byte[] sealedBytes = new byte[Overhead + plain.Length];
        Span<byte> all = sealedBytes;
        RandomNumberGenerator.Fill(all[..NonceBytes]);
        using AesGcm cipher = new(key, TagBytes);
        cipher.Encrypt(all[..NonceBytes], plain, all[Overhead..], all[NonceBytes..Overhead], place);
        return sealedBytes;
    }

    /// <summary>Null where it was not sealed with this key, for this place, or was changed since.</summary>
    public static byte[]? Open(byte[] key, ReadOnlySpan<byte> place, ReadOnlySpan<byte> sealedBytes)
    {
        if (sealedBytes.Length < Overhead)
            return null;
        byte[] plain = new byte[sealedBytes.Length - Overhead];
        using AesGcm cipher = new(key, TagBytes);
        try
        {
            cipher.Decrypt(sealedBytes[..NonceBytes], sealedBytes[Overhead..], sealedBytes[NonceBytes..Overhead], plain, place);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
