using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Cli.Models;

/// <summary>
/// Brings a model from this machine's disk into the catalogue: straight into storage, whatever its size, and not through the edge, which only hands out the address and verifies.
/// </summary>
internal sealed class ModelPush(Edge edge, HttpClient storage, TimeProvider time)
{
    private const int PieceSize = 4 << 20;
    private const string Success = "success";

    /// <summary>An answer may not last as long as the verification: the next one goes on.</summary>
    private const string Unfinished = "unfinished";

    /// <param name="path">As of <see cref="GgufFiles.Find"/>: a GGUF, any part of a split one, or a folder.</param>
    /// <param name="model">The name that it gets.</param>
    /// <param name="cancellationToken">Ends it; the next one goes on where it was.</param>
    /// <returns>Lines as a pull's.</returns>
    /// <exception cref="EdgeException">The edge or storage refuses, or the file is no model.</exception>
    public async IAsyncEnumerable<JsonElement> RunAsync(string path, string model, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!ModelName.TryParse(model, out _, out string? error))
            throw new EdgeException(error, System.Net.HttpStatusCode.BadRequest);
        await using Stream content = Open(path);
        string digest = "";
        await foreach (JsonElement line in FollowAsync("hashing", content.Length, async progress => digest = await HashAsync(content, progress, cancellationToken)))
            yield return line;
        if (await AddressAsync(digest, content.Length, cancellationToken) is { } address)
        {
            using BlockUpload upload = new(storage, content, address, async stop => await AddressAsync(digest, content.Length, stop) ?? address, time);
            await foreach (JsonElement line in FollowAsync("uploading", content.Length, progress => upload.RunAsync(progress, cancellationToken)))
                yield return line;
        }
        for (bool isDone = false; !isDone;)
        {
            isDone = true;
            await foreach (JsonElement line in edge.StreamAsync(HttpMethod.Post, $"models/uploads/{digest}/complete", null, cancellationToken))
            {
                if (line.Text("status") == Unfinished)
                    isDone = false;
                else if (line.Text("status") != Success)
                    yield return line;
            }
        }
        JsonObject create = new() { ["model"] = model, ["files"] = new JsonObject { [$"{Path.GetFileName(Path.TrimEndingDirectorySeparator(path))}"] = digest } };
        await foreach (JsonElement line in edge.StreamAsync(HttpMethod.Post, "api/create", create, cancellationToken))
            yield return line;
    }

    /// <summary>What is no model is found before gigabytes are sent.</summary>
    private static Stream Open(string path)
    {
        try
        {
            Stream content = GgufFiles.Open(GgufFiles.Find(path));
            try
            {
                ModelConfig.From(GgufReader.Read(content));
                content.Position = 0;
                return content;
            }
            catch
            {
                content.Dispose();
                throw;
            }
        }
        catch (GgufFormatException e)
        {
            throw new EdgeException($"{path}: {e.Message}", System.Net.HttpStatusCode.BadRequest, e);
        }
    }

    /// <summary>Null: it is there already.</summary>
    private async Task<Uri?> AddressAsync(string digest, long size, CancellationToken cancellationToken)
    {
        JsonElement answer = await edge.PostAsync("models/uploads", new JsonObject { ["digest"] = digest, ["size"] = size }, cancellationToken);
        return answer.Text("url") is { } url ? new Uri(url) : null;
    }

    private static async Task<string> HashAsync(Stream content, Action<long> progress, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[PieceSize];
        int read;
        while ((read = await content.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken)) > 0)
        {
            hash.AppendData(piece, 0, read);
            progress(content.Position);
        }
        return ModelDigest.Format(hash.GetHashAndReset());
    }

    /// <summary>Does something, and tells how far it is: the newest figure, where there are more than can be told.</summary>
    private static async IAsyncEnumerable<JsonElement> FollowAsync(string status, long total, Func<Action<long>, Task> work)
    {
        Channel<long> figures = Channel.CreateBounded<long>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        Task working = WorkAsync();
        await foreach (long completed in figures.Reader.ReadAllAsync(CancellationToken.None))
            yield return JsonSerializer.SerializeToElement(new JsonObject { ["status"] = status, ["total"] = total, ["completed"] = completed });
        await working;

        async Task WorkAsync()
        {
            try
            {
                await work(completed => figures.Writer.TryWrite(completed));
            }
            finally
            {
                figures.Writer.Complete();
            }
        }
    }
}
