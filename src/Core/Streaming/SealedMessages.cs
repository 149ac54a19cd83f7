using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OllamaMax.Jobs;
using OllamaMax.Security;

namespace OllamaMax.Streaming;

/// <summary>What a grant says of its job, for its worker alone.</summary>
/// <param name="OwnerKey">The owner's public key, P-256 as SubjectPublicKeyInfo.</param>
/// <param name="Resume">Under the attempt's seal: <see cref="GrantMessage.Resume"/>.</param>
/// <param name="Job">Under the attempt's seal: <see cref="GrantMessage.Job"/>; null: that lies at <see cref="GrantMessage.PayloadUrl"/>, sealed too.</param>
public sealed record SealedGrant(byte[] OwnerKey, byte[] Resume, byte[]? Job);

/// <summary>An <see cref="AttemptOutput"/> for the attempt's owner alone.</summary>
/// <param name="Index">As <see cref="Chunk.Index"/>.</param>
/// <param name="Content">Under the attempt's seal: the chunk.</param>
public sealed record SealedOutput(string JobId, string Nonce, int Index, byte[] Content);

/// <summary>
/// Puts what messages say of jobs under an attempt's seal, and takes it out again, on both sides. What does not open answers null: it was meant for somebody else, or changed on its way.
/// </summary>
public static class SealedMessages
{
    public static byte[] Seal(Job job, AttemptSeal seal) => seal.Seal(SealedPart.Job, 0, JsonSerializer.SerializeToUtf8Bytes(job, ProtocolJson.Default.Job));

    public static Job? OpenJob(ReadOnlySpan<byte> content, AttemptSeal seal) => Read(seal.Open(SealedPart.Job, 0, content), ProtocolJson.Default.Job);

    /// <summary>The grant, with nothing of the job in the clear.</summary>
    /// <param name="ownerKey">With which <paramref name="seal"/> was made.</param>
    /// <param name="job">Sealed; null: it lies at the grant's address.</param>
    public static GrantMessage Seal(GrantMessage grant, byte[] ownerKey, byte[]? job, AttemptSeal seal)
    {
        byte[] resume = JsonSerializer.SerializeToUtf8Bytes(grant.Resume, ProtocolJson.Default.IReadOnlyListInt32);
        return grant with { Job = null, Resume = [], Sealed = new(ownerKey, seal.Seal(SealedPart.Resume, 0, resume), job) };
    }

    /// <summary>The grant as it was before; a job that lies elsewhere is opened by who reads it, with <see cref="GrantMessage.Seal"/>.</summary>
    public static GrantMessage? Open(GrantMessage grant, AttemptSeal seal)
    {
        if (grant.Sealed is not { } content || Read(seal.Open(SealedPart.Resume, 0, content.Resume), ProtocolJson.Default.IReadOnlyListInt32) is not { } resume)
            return null;
        GrantMessage opened = grant with { Resume = resume, Seal = seal };
        if (content.Job is null)
            return opened;
        return OpenJob(content.Job, seal) is { } job ? opened with { Job = job } : null;
    }

    /// <summary>Null where it has no seal to go under.</summary>
    public static SealedOutput? Seal(AttemptOutput output)
    {
        if (output.Seal is not { } seal)
            return null;
        byte[] chunk = JsonSerializer.SerializeToUtf8Bytes(output.Chunk, ProtocolJson.Default.Chunk);
        return new(output.JobId, output.Nonce, output.Chunk.Index, seal.Seal(SealedPart.Output, output.Chunk.Index, chunk));
    }

    public static AttemptOutput? Open(SealedOutput output, AttemptSeal seal) =>
        Read(seal.Open(SealedPart.Output, output.Index, output.Content), ProtocolJson.Default.Chunk) is { } chunk ? new(output.JobId, output.Nonce, chunk) : null;

    /// <summary>A worker that has its seal may still have been made to write anything.</summary>
    private static T? Read<T>(byte[]? plain, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return plain is null ? null : JsonSerializer.Deserialize(plain, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
