using System.Security.Cryptography;
using Azure;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>Makes a smaller blob of a GGUF that is in storage, in constant memory: it is read twice, for the new one's digest and on its way.</summary>
public sealed class BlobQuantizer(ModelBlobs blobs)
{
    private const int PieceSize = 1 << 20;
    private const int ReadSize = 4 << 20;

    /// <summary>What most of the GGUF is made of, such as <c>F16</c>; and null, or why it cannot be quantized: its header tells.</summary>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<(string Type, string? Error)> LookAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream source = await blobs.OpenAsync(digest, cancellationToken);
            string type = GgufReader.Read(source).TensorType;
            await GgufQuantizer.Open(source).DisposeAsync();
            return (type, null);
        }
        catch (GgufFormatException e)
        {
            return ("", e.Message);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{digest} cannot be read", e);
        }
    }

    /// <param name="digest">Of the GGUF.</param>
    /// <param name="progress">Told of total and completed bytes, of both times together.</param>
    /// <param name="cancellationToken">Ends it; nothing stays.</param>
    /// <returns>The digest of what was made; what is there already is not made again.</returns>
    /// <exception cref="ModelPublishException">It cannot be quantized.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<string> RunAsync(string digest, Action<long, long> progress, CancellationToken cancellationToken)
    {
        try
        {
            string made = await HashAsync(digest, progress, cancellationToken);
            if (await blobs.FindAsync(made, cancellationToken) is null)
            {
                await using Stream source = await blobs.OpenAsync(digest, cancellationToken, ReadSize);
                await using Stream quantized = GgufQuantizer.Open(source);
                long size = quantized.Length;
                if (await blobs.UploadFromAsync(made, quantized, cancellationToken, done => progress(2 * size, size + done)) is { } other)
                    throw new CatalogException($"{digest} gave {made} first and {other} then");
            }
            return made;
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException(e.Message, e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{digest} cannot be read, or what is made of it written", e);
        }
    }

    private async Task<string> HashAsync(string digest, Action<long, long> progress, CancellationToken cancellationToken)
    {
        await using Stream source = await blobs.OpenAsync(digest, cancellationToken, ReadSize);
        await using Stream quantized = GgufQuantizer.Open(source);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[PieceSize];
        int read;
        while ((read = await quantized.ReadAsync(piece, cancellationToken)) > 0)
        {
            hash.AppendData(piece, 0, read);
            progress(2 * quantized.Length, quantized.Position);
        }
        return ModelDigest.Format(hash.GetHashAndReset());
    }
}
