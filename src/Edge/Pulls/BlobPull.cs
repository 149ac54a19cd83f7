using System.Text;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Brings weights into the catalogue's storage, once, whoever asks for them how often: what is there is not fetched, what another edge fetches is
/// waited for. They are staged first and read once more from storage, so that only what is what its digest says becomes visible.
/// </summary>
internal sealed class BlobPull(SourceDownload download, ModelBlobs blobs, StagedBlobs staging, TimeProvider time)
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
            await using StagedBlob staged = await TakeAsync(key, layer.Size, progress, cancellationToken);
            progress.Show(staged.Length);
            // Another edge may have finished while it was waited for.
            if (await blobs.FindAsync(layer.Digest, cancellationToken) is null)
                await download.RunAsync(address, staged, layer.Size, progress.Advance, cancellationToken);
            progress.Show(layer.Size);
            progress.Begin(new("verifying sha256 digest"));
            await PublishAsync(layer.Digest, staged, cancellationToken);
        }
        else
        {
            progress.Show(layer.Size);
            progress.Begin(new("verifying sha256 digest"));
        }
    }

    /// <summary>A file of which only the address is known.</summary>
    /// <returns>Its digest.</returns>
    /// <exception cref="PullException">It is not to be had, or no GGUF.</exception>
    public async Task<string> PullAsync(Uri address, PullProgress progress, CancellationToken cancellationToken)
    {
        string key = "url-" + ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(address.AbsoluteUri)));
        progress.Begin(new($"pulling {Path.GetFileName(address.AbsolutePath)}"));
        await using StagedBlob staged = await TakeAsync(key, 0, progress, cancellationToken);
        await download.RunAsync(address, staged, null, progress.Advance, cancellationToken);
        progress.Begin(new("verifying sha256 digest"));
        string digest = await staged.HashAsync(cancellationToken);
        await PublishAsync(digest, staged, cancellationToken);
        return digest;
    }

    private async Task PublishAsync(string digest, StagedBlob staged, CancellationToken cancellationToken)
    {
        bool isThere = await blobs.FindAsync(digest, cancellationToken) is not null;
        string? actual = isThere ? null : await staged.PublishAsync(blobs, digest, cancellationToken);
        await staged.DeleteAsync(cancellationToken);
        if (actual is not null)
            throw new PullException($"digest mismatch, expected \"{digest}\", got \"{actual}\": what came was thrown away");
    }

    private async Task<StagedBlob> TakeAsync(string key, long total, PullProgress progress, CancellationToken cancellationToken)
    {
        StagedBlob? staged;
        while ((staged = await staging.TryTakeAsync(key, cancellationToken)) is null)
        {
            if (total > 0)
                progress.Show(await staging.LengthAsync(key, cancellationToken));
            await Task.Delay(FollowInterval, time, cancellationToken);
        }
        return staged;
    }
}
