using System.Security.Cryptography;

namespace OllamaMax.Security;

/// <summary>One side's P-256 key pair for agreeing on an <see cref="AttemptSeal"/>.</summary>
public sealed class SealingKey : IDisposable
{
    private const int KeyBits = 256;

    private readonly ECDiffieHellman _key;
    private readonly Lock _lock = new();

    private SealingKey(ECDiffieHellman key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>SubjectPublicKeyInfo.</summary>
    public byte[] PublicKey { get; }

    /// <summary>An owner's, drawn anew by each process and never written: what was sent under it nobody can open with what is found on a machine of the owner's later.</summary>
    public static SealingKey Create() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A worker's: the pair that it is enrolled with, so that whoever is to tell it something knows its key already.</summary>
    public static SealingKey Of(ECDsa identity) => new(ECDiffieHellman.Create(identity.ExportParameters(includePrivateParameters: true)));

    /// <summary>What only the holders of the two private keys know; null where the other's is no P-256 key.</summary>
    /// <param name="otherPublicKey">SubjectPublicKeyInfo.</param>
    public byte[]? Agree(ReadOnlySpan<byte> otherPublicKey)
    {
        try
        {
            using ECDiffieHellman other = ECDiffieHellman.Create();
            other.ImportSubjectPublicKeyInfo(otherPublicKey, out _);
            if (other.KeySize != KeyBits)
                return null;
            using ECDiffieHellmanPublicKey key = other.PublicKey;
            lock (_lock)
                return _key.DeriveRawSecretAgreement(key);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void Dispose() => _key.Dispose();
}
