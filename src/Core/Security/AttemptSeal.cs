using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OllamaMax.Jobs;

namespace OllamaMax.Security;

/// <summary>
/// Encrypts what an owner and a worker tell each other of one attempt: AES-256-GCM under a key for each direction, made by HKDF-SHA256 (RFC 5869) of what the two have agreed on by ECDH, the
/// owner's public key, the job, the attempt, its worker and its nonce. So nothing opens that is of another attempt, another direction, another kind or another place. The same twice opens
/// twice: the index sorts that out, as it does with messages that come doubled.
/// </summary>
public sealed class AttemptSeal
{
    private readonly byte[] _toWorker;
    private readonly byte[] _toOwner;

    private AttemptSeal(string nonce, byte[] toWorker, byte[] toOwner) => (Nonce, _toWorker, _toOwner) = (nonce, toWorker, toOwner);

    /// <summary>The attempt's.</summary>
    public string Nonce { get; }

    /// <summary>The same on both sides.</summary>
    /// <param name="secret">What they have agreed on (<see cref="SealingKey.Agree"/>).</param>
    /// <param name="ownerPublicKey">SubjectPublicKeyInfo.</param>
    /// <param name="jobId">Of the job.</param>
    /// <param name="attempt">Of the job.</param>
    public static AttemptSeal Of(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> ownerPublicKey, string jobId, Attempt attempt)
    {
        return new(attempt.Nonce, Key(secret, ownerPublicKey, "worker"), Key(secret, ownerPublicKey, "owner"));

        byte[] Key(ReadOnlySpan<byte> agreed, ReadOnlySpan<byte> salt, string to)
        {
            // Lines, as none of the parts has a line break: ids and hex.
            byte[] info = Encoding.UTF8.GetBytes($"ollamamax attempt 1\n{to}\n{jobId}\n{attempt.Number}\n{attempt.WorkerId}\n{attempt.Nonce}");
            byte[] key = new byte[SealedBytes.KeyBytes];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, agreed, key, salt, info);
            return key;
        }
    }

    /// <param name="part">What it is.</param>
    /// <param name="index">Where it belongs among those of its part.</param>
    /// <param name="plain">Any bytes.</param>
    // A nonce by chance and not by the index: what is sent again may be cut otherwise, and no nonce may serve two texts.
    public byte[] Seal(SealedPart part, int index, ReadOnlySpan<byte> plain) => SealedBytes.Seal(KeyOf(part), Place(part, index), plain);

    /// <summary>Null where it was not sealed as this part, at this index, for this attempt, or was changed since.</summary>
    public byte[]? Open(SealedPart part, int index, ReadOnlySpan<byte> sealedBytes) => SealedBytes.Open(KeyOf(part), Place(part, index), sealedBytes);

    private byte[] KeyOf(SealedPart part) => part == SealedPart.Output ? _toOwner : _toWorker;

    private static byte[] Place(SealedPart part, int index)
    {
        byte[] place = new byte[5];
        place[0] = (byte)part;
        BinaryPrimitives.WriteInt32BigEndian(place.AsSpan(1), index);
        return place;
    }
}

/// <summary>What can be under an <see cref="AttemptSeal"/>; the numbers are part of it.</summary>
public enum SealedPart
{
    /// <summary>The job, to the worker.</summary>
    Job = 1,

    /// <summary>Tokens of the answer that the owner has, to the worker.</summary>
    Resume = 2,

    /// <summary>A chunk of the answer, to the owner.</summary>
    Output = 3,

    /// <summary>The key that a background job's content is under in storage (<see cref="ContentSeal"/>), to the worker.</summary>
    ContentKey = 4,
}
