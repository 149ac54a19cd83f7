using System.Text;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Brings weights into the catalogue's storage, once, whoever asks for them how often: what is there is not fetched, what another edge fetches is
/// waited for. They are staged first and read once more from storage, so that only what is what its digest says becomes visible.
/// </summary>
internal sealed partial class BlobPull(SourceDownload download, ModelBlobs blobs, StagedBlobs staging, TimeProvider time, ILogger<BlobPull> logger)
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    /// <summary>Weights that a manifest names.</summary>
    /// <exception cref="PullException">The source does not have them.</exception>
    public async Task PullAsync(Uri address, ModelLayer layer, PullProgress progress, CancellationToken cancellationToken)
    {
        string key = ModelDigest.FileName(layer.Digest);
        progress.Begin(new($"pulling {ModelDigest.Hex(layer.Digest)[..12]}", layer.Digest, layer.Size));
        if (await blobs.FindAsync(layer.Digest, cancellationToken) is null)
        {
            await using StagedBlob staged = await TakeAsync(key, layer.Size, isHashed: false, progress, cancellationToken);
            progress.Show(staged.Length);
            // Another edge may have finished while it was waited for.
            if (await blobs.FindAsync(layer.Digest, cancellationToken) is null)
                await download.RunAsync(address, staged, layer.Size, progress, cancellationToken);
            progress.Show(layer.Size);
            progress.Begin(new("verifying sha256 digest"));
            await PublishAsync(layer.Digest, staged, cancellationToken);
            await staged.DeleteAsync(cancellationToken);
        }
        else
        {
            progress.Show(layer.Size);
            progress.Begin(new("verifying sha256 digest"));
        }
    }

    /// <summary>Files of which only the addresses are known: one, or all that a split model has.</summary>
    /// <param name="parts">The files.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="finish">Given the digest of what they are together, makes the model. False: there is to be none. They stay staged until it is there: nothing else tells that they need not be fetched again.</param>
    /// <param name="cancellationToken">Ends it; the next goes on.</param>
    /// <returns>What <paramref name="finish"/> answers.</returns>
    /// <exception cref="PullException">One is not to be had, or no GGUF.</exception>
    /// <exception cref="ModelPublishException">They do not belong together.</exception>
    public async Task<bool> PullAsync(IReadOnlyList<SourcePart> parts, PullProgress progress, Func<string, Task<bool>> finish, CancellationToken cancellationToken)
    {
        List<StagedBlob> staged = [];
        try
        {
            foreach (SourcePart part in parts)
                staged.Add(await FetchAsync(part, isHashed: parts.Count == 1 || part.Digest is not null, progress, cancellationToken));
            progress.Begin(new("verifying sha256 digest"));
            for (int i = 0; i < parts.Count; i++)
                await VerifyAsync(parts[i], staged[i], cancellationToken);
            if (staged.Count > 1)
            {
                StagedParts whole = new(staged, blobs);
                return await FinishAsync(await whole.PublishAsync(cancellationToken), finish, whole.DeleteAsync);
            }
            string digest = await staged[0].HashAsync(cancellationToken);
            await PublishAsync(digest, staged[0], cancellationToken);
            return await FinishAsync(digest, finish, staged[0].DeleteAsync);
        }
        finally
        {
            foreach (StagedBlob one in staged)
                await one.DisposeAsync();
        }
    }

    private async Task<bool> FinishAsync(string digest, Func<string, Task<bool>> finish, Func<CancellationToken, Task> delete)
    {
        if (!await finish(digest))
            return false;
        try
        {
            // Whoever leaves now has the model all the same.
            await delete(CancellationToken.None);
        }
        catch (CatalogException e)
        {
            // It is collected as what nobody goes on with.
            LogLeft(e, digest);
        }
        return true;
    }

    /// <summary>The file, whole, and for nobody else until it is disposed of.</summary>
    private async Task<StagedBlob> FetchAsync(SourcePart part, bool isHashed, PullProgress progress, CancellationToken cancellationToken)
    {
        string key = "url-" + ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(part.Address.AbsoluteUri)));
        progress.Begin(new($"pulling {Path.GetFileName(part.Address.AbsolutePath)}"));
        StagedBlob staged = await TakeAsync(key, 0, isHashed, progress, cancellationToken);
        try
        {
            // Of what is there, so that what comes can be hashed as it does.
            if (isHashed)
                await staged.HashAsync(cancellationToken);
            await download.RunAsync(part.Address, staged, null, progress, cancellationToken);
            return staged;
        }
        catch
        {
            await staged.DisposeAsync();
            throw;
        }
    }

    private static async Task VerifyAsync(SourcePart part, StagedBlob staged, CancellationToken cancellationToken)
    {
        if (part.Digest is null || await staged.HashAsync(cancellationToken) is var actual && actual == part.Digest)
            return;
        await staged.DeleteAsync(cancellationToken);
        throw Mismatch(part.Digest, actual);
    }

    private async Task PublishAsync(string digest, StagedBlob staged, CancellationToken cancellationToken)
    {
        bool isThere = await blobs.FindAsync(digest, cancellationToken) is not null;
        if (isThere || await staged.PublishAsync(blobs, digest, cancellationToken) is not { } actual)
            return;
        await staged.DeleteAsync(cancellationToken);
        throw Mismatch(digest, actual);
    }

    private static PullException Mismatch(string expected, string actual) =>
        new($"digest mismatch, expected \"{expected}\", got \"{actual}\": what came was thrown away");

    private async Task<StagedBlob> TakeAsync(string key, long total, bool isHashed, PullProgress progress, CancellationToken cancellationToken)
    {
        StagedBlob? staged;
        while ((staged = await staging.TryTakeAsync(key, cancellationToken, isHashed)) is null)
        {
            if (total > 0)
                progress.Show(await staging.LengthAsync(key, cancellationToken));
            await Task.Delay(FollowInterval, time, cancellationToken);
        }
        return staged;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was fetched of {Digest} stays until it is collected: its model is there")]
    private partial void LogLeft(Exception exception, string digest);
}
