using System.Text;
using Azure;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Ollama;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Makes one blob of GGUFs that are in storage: the parts of a split one become one, one of Ollama's becomes llama.cpp's, it becomes smaller, adapters are added, or all of it. In
/// constant memory: they are read twice, for the new one's digest and on its way. One that was cut short is gone on with by the next that is the same.
/// </summary>
public sealed class BlobConverter(ModelBlobs blobs)
{
    private const int LookSize = 1 << 20;
    private const int ReadSize = 4 << 20;

    /// <summary>What most of the GGUF is made of, such as <c>F16</c>; and null, or why it cannot be made: the headers tell.</summary>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<(string Type, string? Error)> LookAsync(BlobConversion conversion, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync<(string, string?)>(conversion, LookSize, (source, _) =>
            {
                source.Position = 0;
                return Task.FromResult<(string, string?)>((GgufReader.Read(source).TensorType, null));
            }, cancellationToken);
        }
        catch (GgufFormatException e)
        {
            return ("", e.Message);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{conversion} cannot be read", e);
        }
    }

    /// <summary>Whether a blob is Ollama's and has to become llama.cpp's (<see cref="OllamaGguf"/>) before it can be a model: its header tells. One that is not there does not.</summary>
    /// <exception cref="ModelPublishException">It is Ollama's, and cannot become llama.cpp's, or is no GGUF.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<bool> IsOllamasAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream file = await blobs.OpenAsync(digest, cancellationToken, LookSize);
            return OllamaGguf.Is(file);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return false;
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException($"{digest} cannot be made a model: {e.Message}", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{digest} cannot be read", e);
        }
    }

    /// <param name="conversion">What is to be made.</param>
    /// <param name="progress">Told of total and completed bytes, of both times together.</param>
    /// <param name="cancellationToken">Ends it; the next goes on.</param>
    /// <returns>The digest of what was made; what is there already is not made again.</returns>
    /// <exception cref="ModelPublishException">It cannot be made.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<string> RunAsync(BlobConversion conversion, Action<long, long> progress, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(conversion, ReadSize, (_, content) => MakeAsync(conversion, content, progress, cancellationToken), cancellationToken);
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException(e.Message, e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
        {
            throw new CatalogException($"{conversion} cannot be read, or what is made of it written", e);
        }
    }

    /// <summary>Opens what it is made of, and what is made.</summary>
    private async Task<T> ReadAsync<T>(BlobConversion conversion, int bufferSize, Func<Stream, Stream, Task<T>> read, CancellationToken cancellationToken)
    {
        List<Stream> opened = [];
        try
        {
            Stream content = await OpenedParts.OpenAsync(conversion.Sources, source => blobs.OpenAsync(source, cancellationToken, bufferSize));
            opened.Add(content);
            content = OllamaGguf.Open(content);
            List<Stream> adapters = [];
            if (conversion.Quantization is { } quantization)
            {
                // What lies behind the weights is none of them.
                adapters.AddRange(GgufAdapters.Find(content).Select(part => GgufAdapters.Part(content, part)));
                content = GgufQuantizer.Open(content, quantization);
            }
            foreach (string adapter in conversion.Adapters)
            {
                opened.Add(await blobs.OpenAsync(adapter, cancellationToken, bufferSize));
                adapters.Add(opened[^1]);
            }
            return await read(opened[0], adapters.Count == 0 ? content : GgufAdapters.Append(content, adapters));
        }
        finally
        {
            foreach (Stream one in opened)
                await one.DisposeAsync();
        }
    }

    private async Task<string> MakeAsync(BlobConversion conversion, Stream content, Action<long, long> progress, CancellationToken cancellationToken)
    {
        long size = content.Length;
        PassSource source = SourceOf(conversion);
        ModelChunks made = await blobs.DigestAsync(source, content, cancellationToken, done => progress(2 * size, done));
        bool isThere = await blobs.FindAsync(made.Digest, cancellationToken) is not null
            || await blobs.WriteAsync(made, content, cancellationToken, done => progress(2 * size, size + done));
        await blobs.ForgetAsync(source, cancellationToken);
        return isThere ? made.Digest : throw new CatalogException($"{conversion} gave {made.Digest} first and something else then");
    }

    /// <summary>Another build may make something else of the same.</summary>
    private static PassSource SourceOf(BlobConversion conversion)
    {
        string task = $"{string.Join(' ', conversion.Sources)} > {conversion.Quantization?.Name} + {string.Join(' ', conversion.Adapters)}";
        return new($"made-{ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(task)))}", $"{typeof(GgufQuantizer).Module.ModuleVersionId}");
    }
}
