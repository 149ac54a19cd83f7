using System.Security.Cryptography;
using Azure;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Makes one blob of GGUFs that are in storage: the parts of a split one become one, or it becomes smaller, or both. In constant memory: they are read twice, for the new
/// one's digest and on its way.
/// </summary>
public sealed class BlobConverter(ModelBlobs blobs)
{
    private const int PieceSize = 1 << 20;
    private const int LookSize = 1 << 20;
    private const int ReadSize = 4 << 20;

    /// <summary>What most of the GGUF is made of, such as <c>F16</c>; and null, or why it cannot be made: the headers tell.</summary>
    /// <param name="sources">Digests of a GGUF, or of all the parts of a split one in their order.</param>
    /// <param name="quantization">What it is made; null: it stays what it is.</param>
    /// <param name="cancellationToken">Ends the looking.</param>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<(string Type, string? Error)> LookAsync(IReadOnlyList<string> sources, GgufQuantization? quantization, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream whole = await OpenAsync(sources, LookSize, cancellationToken);
            string type = GgufReader.Read(whole).TensorType;
            if (quantization is not null)
                await GgufQuantizer.Open(whole, quantization).DisposeAsync();
            return (type, null);
        }
        catch (GgufFormatException e)
        {
            return ("", e.Message);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{string.Join(", ", sources)} cannot be read", e);
        }
    }

    /// <param name="sources">As of <see cref="LookAsync"/>.</param>
    /// <param name="quantization">As of <see cref="LookAsync"/>.</param>
    /// <param name="progress">Told of total and completed bytes, of both times together.</param>
    /// <param name="cancellationToken">Ends it; nothing stays.</param>
    /// <returns>The digest of what was made; what is there already is not made again.</returns>
    /// <exception cref="ModelPublishException">It cannot be made.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<string> RunAsync(IReadOnlyList<string> sources, GgufQuantization? quantization, Action<long, long> progress, CancellationToken cancellationToken)
    {
        try
        {
            string made = await ReadAsync(sources, quantization, content => HashAsync(content, progress, cancellationToken), cancellationToken);
            if (await blobs.FindAsync(made, cancellationToken) is null
                && await ReadAsync(sources, quantization, content => UploadAsync(made, content, progress, cancellationToken), cancellationToken) is { } other)
                throw new CatalogException($"{string.Join(", ", sources)} gave {made} first and {other} then");
            return made;
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException(e.Message, e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{string.Join(", ", sources)} cannot be read, or what is made of them written", e);
        }
    }

    private async Task<T> ReadAsync<T>(IReadOnlyList<string> sources, GgufQuantization? quantization, Func<Stream, Task<T>> read, CancellationToken cancellationToken)
    {
        await using Stream whole = await OpenAsync(sources, ReadSize, cancellationToken);
        if (quantization is null)
            return await read(whole);
        await using Stream quantized = GgufQuantizer.Open(whole, quantization);
        return await read(quantized);
    }

    private Task<Stream> OpenAsync(IReadOnlyList<string> sources, int bufferSize, CancellationToken cancellationToken) =>
        OpenedParts.OpenAsync(sources, source => blobs.OpenAsync(source, cancellationToken, bufferSize));

    private Task<string?> UploadAsync(string digest, Stream content, Action<long, long> progress, CancellationToken cancellationToken)
    {
        long size = content.Length;
        return blobs.UploadFromAsync(digest, content, cancellationToken, done => progress(2 * size, size + done));
    }

    private static async Task<string> HashAsync(Stream content, Action<long, long> progress, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[PieceSize];
        int read;
        while ((read = await content.ReadAsync(piece, cancellationToken)) > 0)
        {
            hash.AppendData(piece, 0, read);
            progress(2 * content.Length, content.Position);
        }
        return ModelDigest.Format(hash.GetHashAndReset());
    }
}
